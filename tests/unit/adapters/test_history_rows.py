"""Records as rows: as many values as columns, and texts that Postgres can hold."""

from dataclasses import replace

from processor.adapters.postgres import history_rows as rows
from processor.core.correction import Parent
from processor.core.history import Status
from tests.unit.service.test_materialize_changes import CHUNK, CLEARED, STATUS, A, outcome


def test_each_column_has_a_value() -> None:
    assert len(rows.request_row(STATUS)) == len(rows.COLUMNS["requests"])
    assert len(rows.chunk_row(CHUNK)) == len(rows.COLUMNS["chunks"])
    assert len(rows.outcome_row(outcome(A, "1", Status.SENT))) == len(rows.COLUMNS["outcomes"])
    assert len(rows.clearing_row(CLEARED)) == len(rows.COLUMNS["clearings"])


def test_nul_and_length() -> None:
    dirty = replace(outcome(A, "1", Status.FAILED), detail="a\0b", asked_as="\0", parent=Parent("P\0", "\0"))
    row = dict(zip(rows.COLUMNS["outcomes"], rows.outcome_row(dirty), strict=True))
    assert (row["detail"], row["asked_as"], row["parent_object"], row["parent_key"]) == (
        "a\ufffdb",
        "\ufffd",
        "P\ufffd",
        "\ufffd",
    )
    long = replace(STATUS, request=replace(STATUS.request, district_id="D" * 1000))
    assert rows.request_row(long)[1] == "D" * rows.MAX_NAME_CHARS


def test_a_symbol_that_was_not_understood_is_told_as_unknown() -> None:
    later = replace(STATUS, request=replace(STATUS.request, not_understood=("mode", "requested_from")))
    row = dict(zip(rows.COLUMNS["requests"], rows.request_row(later), strict=True))
    assert (row["mode"], row["dependencies"], row["requested_from"]) == ("UNKNOWN", "NONE", "UNKNOWN")
