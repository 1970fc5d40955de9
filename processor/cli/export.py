"""`resync replay --export`: the history topic as a file, without a database."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from processor.cli.exits import UsageError
from processor.cli.files import new_file
from processor.cli.known_names import catalog_at_hand
from processor.cli.output import csv_cell, say
from processor.cli.progress import counting
from processor.cli.requests import count_text, document
from processor.core.counted import counted
from processor.core.printable import printable
from processor.service.client_ports import NotSetUp
from processor.service.export import COLUMNS, Covered, Wanted, export

if TYPE_CHECKING:
    from processor.settings import Settings

Row: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[[Row], None]

ROW_GROUP = 20_000
"""Rows that Parquet is written by, and that are held for it."""


class ExportForm(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


def export_topic(settings: "Settings", wanted: Wanted, form: ExportForm, to: Path | None) -> None:
    """To stdout where no file is given."""
    if form is ExportForm.PARQUET and to is None:
        raise UsageError("--format parquet needs --to FILE")
    from processor.cli import parts

    scan, decode = parts.history_scan(settings)
    with ExitStack() as opened:
        write = opened.enter_context(_writer(form, to))
        progress = opened.enter_context(counting("records of the history topic"))
        covered = export(scan, decode, wanted, write, progress)
        if not covered.written and wanted.district_id is not None:
            _check_district(settings, wanted.district_id, covered.topic)
    _tell(covered, wanted)


def _check_district(settings: "Settings", district_id: str, topic: str) -> None:
    """Raises UsageError, so that no file is left, where the catalog is at hand and does not know the district.

    Not before reading: the topic may have records of districts that the catalog had once.
    """
    catalog = catalog_at_hand(settings)
    if catalog is not None and district_id not in catalog.districts:
        raise UsageError(
            f"--district {printable(district_id)}: nothing of it was found in {topic}, nor is it in the catalog"
        )


def _tell(covered: Covered, wanted: Wanted) -> None:
    times = f", from {covered.first:%Y-%m-%d %H:%M:%SZ} to {covered.last:%Y-%m-%d %H:%M:%SZ}" if covered.first else ""
    say(f"read {counted(covered.read, 'record')} of {covered.topic}{times}; wrote {covered.written}")
    places = ", ".join(f"{p}: {covered.start[p]} to {covered.end[p]}" for p in sorted(covered.end))
    say(f"offsets by partition, the end not included: {places}")
    if wanted.may_see is not None or wanted.district_id is not None:
        others = "other districts" if wanted.may_see is None else "what you may not see or did not ask for"
        left_out = covered.read - covered.written - covered.unreadable
        say(f"left out: {others}, and tombstones, which name no district ({counted(left_out, 'record')})")
    if covered.unreadable:
        say(f"warning: {counted(covered.unreadable, 'record')} could not be decoded, passed over")


@contextmanager
def _writer(form: ExportForm, to: Path | None) -> Iterator[Write]:
    with ExitStack() as opened:
        target = None if to is None else opened.enter_context(new_file(to))
        if form is ExportForm.PARQUET and target is not None:
            yield opened.enter_context(_parquet(target))
            return
        stream = sys.stdout if target is None else opened.enter_context(target.open("w", encoding="utf-8", newline=""))
        yield _csv(stream) if form is ExportForm.CSV else _ndjson(stream)


def _ndjson(stream: Any) -> Write:  # noqa: ANN401
    def write(row: Row) -> None:
        stream.write(json.dumps(document(row)) + "\n")

    return write


def _csv(stream: Any) -> Write:  # noqa: ANN401
    import csv

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)

    def write(row: Row) -> None:
        cells = document(row)
        if "counts" in cells:
            cells["counts"] = list(map(count_text, cells["counts"]))
        if "planned" in cells:
            cells["planned"] = list(map(_planned_text, cells["planned"]["counts"]))
        writer.writerow([csv_cell(cells.get(column)) for column in COLUMNS])

    return write


def _planned_text(planned: Row) -> str:
    """`u/Enrollment/grade=3`; without a field the number of records."""
    named = (planned["op"], planned["object"], planned["field"])
    return f"{'/'.join(each for each in named if each)}={planned['keys']}"


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    """Whole row groups only are held."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise NotSetUp("--format parquet needs pyarrow: pip install 'selective-sync[parquet]'") from None
    schema = _schema(pa)
    held: list[Row] = []
    with pq.ParquetWriter(path, schema) as file:

        def flush() -> None:
            file.write_table(pa.Table.from_pylist(held, schema))
            held.clear()

        def write(row: Row) -> None:
            held.append(row)
            if len(held) == ROW_GROUP:
                flush()

        yield write
        flush()


_NUMBERS = frozenset(
    {
        "partition", "offset", "attempt", "keys", "in_sync", "district_rows", "state_rows", "expected_differences",
        "outcomes",
    }
)  # fmt: skip
_TIMES = frozenset(
    {
        "timestamp", "first_decided_at", "sent_at", "answered_at", "decided_at", "last_decided_at", "requested_at",
        "cleared_at",
    }
)  # fmt: skip


def _schema(pa: Any) -> Any:  # noqa: ANN401
    count = pa.struct([("status", pa.string()), ("reason", pa.string()), ("keys", pa.int64())])
    what = [("object", pa.string()), ("op", pa.string())]
    planned = pa.struct([*what, ("field", pa.string()), ("keys", pa.int64())])
    sample = pa.struct([*what, ("key", pa.string())])
    special = {
        "changed_fields": pa.list_(pa.string()),
        "counts": pa.list_(count),
        "linked": pa.bool_(),
        "guard": pa.struct([("changes", pa.int64()), ("deletes", pa.int64())]),
        "planned": pa.struct([("counts", pa.list_(planned)), ("samples", pa.list_(sample))]),
    }
    kinds: Sequence[tuple[str, Any]] = [
        (name, special.get(name) or (pa.int64() if name in _NUMBERS else _text_or_time(pa, name))) for name in COLUMNS
    ]
    return pa.schema(kinds)


def _text_or_time(pa: Any, name: str) -> Any:  # noqa: ANN401
    return pa.timestamp("us", tz="UTC") if name in _TIMES else pa.string()
