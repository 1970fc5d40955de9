"""Releases before and after this one: what they wrote is read, or refused with its cause; never guessed."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest

from processor.codec import Codec, DecodeError, Record
from processor.codec.framing import single_object_header
from processor.codec.schema_files import SchemaFiles, shipped_schemas
from processor.codec.schema_text import fingerprint, fingerprint_name
from processor.core.correction import Correction
from processor.core.errors import Reason
from processor.core.history import KeyOutcome
from processor.core.request import Mode, Request
from tests.unit.codec.catalogs import catalog_of
from tests.unit.codec.records import CATALOG, CORRECTION, OUTCOME, REQUEST

CODEC = Codec.open(None, CATALOG)

Change = Callable[[dict[str, Any]], None]


def field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return next(f for f in schema["fields"] if f["name"] == name)


def other_release(folder: Path, record: Record, change: Change, **values: object) -> bytes:
    """The record as a release with a changed schema writes it; its schema goes to the folder's archive."""
    entry = next(e for e in CODEC.schemas_of(type(record)) if type(record) is not Correction or "Enrollment" in e.text)
    schema = json.loads(entry.text)
    change(schema)
    (folder / "archive").mkdir(exist_ok=True)
    path = folder / "archive" / f"{fingerprint_name(fingerprint(schema))}.avsc"
    path.write_text(json.dumps(schema), encoding="utf-8")
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(deepcopy(schema)), {**entry.record.to_wire(record), **values})
    return single_object_header(fingerprint(schema)) + out.getvalue()


def decoded(folder: Path, data: bytes, kind: type[Record]) -> Record:
    return Codec.open(folder, CATALOG).decode(data, {kind})


def test_an_outcome_from_before_two_fields_existed_reads_with_their_defaults(tmp_path: Path) -> None:
    def older(schema: dict[str, Any]) -> None:
        schema["fields"] = [f for f in schema["fields"] if f["name"] not in {"detail", "attempt"}]
        field(schema, "reason")["type"][1]["symbols"] = ["UNKNOWN", "REJECTED_BY_STATE"]

    outcome = decoded(tmp_path, other_release(tmp_path, OUTCOME, older), KeyOutcome)
    assert isinstance(outcome, KeyOutcome)
    assert (outcome.detail, outcome.attempt, outcome.reason) == (None, 1, Reason.REJECTED_BY_STATE)
    assert outcome.changed_fields == OUTCOME.changed_fields
    assert outcome.decided_at == OUTCOME.decided_at


def test_an_outcome_of_a_later_release_reads_without_what_is_new(tmp_path: Path) -> None:
    def later(schema: dict[str, Any]) -> None:
        schema["fields"].insert(0, {"name": "cost", "type": ["null", "double"], "default": None})
        field(schema, "reason")["type"][1]["symbols"].append("SOLAR_FLARE")

    data = other_release(tmp_path, OUTCOME, later, reason="SOLAR_FLARE", cost=1.5)
    outcome = decoded(tmp_path, data, KeyOutcome)
    assert isinstance(outcome, KeyOutcome)
    assert outcome.reason is None
    assert outcome.parent == OUTCOME.parent


def test_a_later_mode_is_refused_and_not_taken_for_another(tmp_path: Path) -> None:
    def later(schema: dict[str, Any]) -> None:
        field(schema, "mode")["type"]["symbols"].append("PREVIEW")

    read = decoded(tmp_path, other_release(tmp_path, REQUEST, later, mode="PREVIEW"), Request)
    assert read == replace(REQUEST, mode=Mode.SYNC, not_understood=("mode",))


@pytest.mark.parametrize("fields", [[], [{"name": "request_id", "type": "string"}]])
def test_a_later_selection_is_refused_and_not_taken_for_all(tmp_path: Path, fields: list[dict[str, str]]) -> None:
    def later(schema: dict[str, Any]) -> None:
        field(schema, "selection")["type"].append({"type": "record", "name": "Earlier", "fields": fields})

    selection = ("selectivesync.v1.Earlier", {"request_id": REQUEST.request_id})
    with pytest.raises(DecodeError) as caught:
        decoded(tmp_path, other_release(tmp_path, REQUEST, later, selection=selection), Request)
    assert caught.value.reason is Reason.UNDECODABLE


def test_a_publisher_with_five_fields_and_plain_times_is_understood(tmp_path: Path) -> None:
    def shortest(schema: dict[str, Any]) -> None:
        keep = {"request_id", "district_id", "object", "selection", "requested_by", "requested_at"}
        schema["fields"] = [f for f in schema["fields"] if f["name"] in keep]
        field(schema, "requested_at").update(type="long", default=0)
        field(schema, "selection")["type"] = field(schema, "selection")["type"][0]

    data = other_release(tmp_path, REQUEST, shortest, requested_at=1_788_251_400_000_001, selection={"keys": ["7"]})
    request = decoded(tmp_path, data, Request)
    assert isinstance(request, Request)
    assert request.requested_at is not None
    assert request.requested_at.isoformat() == "2026-09-01T08:30:00.000001+00:00"


def test_a_correction_from_before_a_field_existed_reads_it_as_null(tmp_path: Path) -> None:
    def older(schema: dict[str, Any]) -> None:
        row = field(schema, "before")["type"][1]
        row["fields"] = [f for f in row["fields"] if f["name"] != "percentEnrolled"]

    correction = decoded(tmp_path, other_release(tmp_path, CORRECTION, older), Correction)
    assert isinstance(correction, Correction)
    assert correction.after is not None
    assert correction.after["percentEnrolled"] is None
    assert correction.after["grade"] == "09"


def test_a_deployment_adds_an_object_with_a_schema_file_alone(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    text = (shipped_schemas() / "objects" / "Enrollment.avsc").read_text(encoding="utf-8")
    (tmp_path / "objects" / "Bus.avsc").write_text(text.replace('"Enrollment"', '"Bus"'), encoding="utf-8")
    codec = Codec.open(tmp_path, catalog_of("Bus", "PersonIdentity", files=SchemaFiles(tmp_path)))
    assert [entry.record.name for entry in codec.schemas_of(Correction)] == [
        "selectivesync.v1.BusCorrection",
        "selectivesync.v1.PersonIdentityCorrection",
    ]


def test_a_missing_schema_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no Ghost\.avsc in .*objects"):
        SchemaFiles(tmp_path).object("Ghost")


def test_a_schema_file_named_after_another_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    text = (shipped_schemas() / "objects" / "Enrollment.avsc").read_text(encoding="utf-8")
    (tmp_path / "objects" / "Bus.avsc").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="must be named after its object"):
        SchemaFiles(tmp_path).object("Bus")
