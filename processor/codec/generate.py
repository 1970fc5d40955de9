"""Writes what follows from the schemas written by hand: `python -m processor.codec.generate [--check] [--schemas DIR]`.

Symbols of enums that the core declares, `generated/<Object>Correction.avsc`, `archive/<fingerprint>.avsc` for each
schema that is not there yet, docs/events.md and docs/reasons.md. Nothing is ever removed from the archive. `--check`
writes nothing and exits with 1 where something would be written, or where a schema breaks an archived one.
"""

import argparse
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from processor.codec.compatibility import incompatibilities
from processor.codec.correction_schema import correction_schema
from processor.codec.reasons_page import reasons_page
from processor.codec.reference import reference
from processor.codec.schema_files import RECORDS, shipped_schemas
from processor.codec.schema_text import Schema, dumped, fingerprint, fingerprint_name, logical_types, read_schema
from processor.core.chunk import Cause, Stage
from processor.core.correction import Result
from processor.core.errors import Reason
from processor.core.history import ChunkState, OrderAction, RequestState, Status
from processor.core.request import Dependencies, Mode, OnStateOnly, Report, Side

_ENUMS: dict[str, type[StrEnum]] = {
    members.__name__: members
    for members in (
        Mode,
        Dependencies,
        OnStateOnly,
        Report,
        Side,
        Status,
        RequestState,
        ChunkState,
        Result,
        Cause,
        Stage,
        OrderAction,
        Reason,
    )
}


def with_current_symbols(schema: Schema) -> Schema:
    """The schema with each enum of the core at its present symbols: old ones stay where they were, new ones follow."""
    if isinstance(schema, list):
        return [with_current_symbols(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "enum" and schema["name"] in _ENUMS:
        known = schema["symbols"]
        added = [member.value for member in _ENUMS[schema["name"]] if member.value not in known]
        return {**schema, "symbols": [*known, *added]}
    return {key: with_current_symbols(value) if key != "default" else value for key, value in schema.items()}


def generated(folder: Path) -> Iterator[tuple[Path, str]]:
    """(file, text) of everything that a folder should hold, as far as it follows from the rest of the folder."""
    shipped = shipped_schemas()
    records = {name: with_current_symbols(read_schema(shipped / f"{name}.avsc")) for name in RECORDS}
    schemas: list[Schema] = []
    if folder.resolve() == shipped.resolve():
        schemas += records.values()
        yield from ((folder / f"{name}.avsc", dumped(schema)) for name, schema in records.items())
        yield folder.parent / "docs" / "events.md", reference([*records.values(), _any_correction(records["Answer"])])
        yield folder.parent / "docs" / "reasons.md", reasons_page()
    for path in sorted((folder / "objects").glob("*.avsc")):
        correction = correction_schema(read_schema(path), records["Answer"])
        schemas.append(correction)
        yield folder / "generated" / f"{correction['name']}.avsc", dumped(correction)
    for schema in schemas:
        yield from _archived(folder / "archive", schema)


def _any_correction(answer: Schema) -> Schema:
    """What all corrections have in common, for the reference."""
    doc = "What the state is asked to do with one row of an object. Each object has its own, named after it."
    return {**correction_schema({"name": "Object", "fields": []}, answer), "doc": doc}


def _archived(archive: Path, schema: Schema) -> Iterator[tuple[Path, str]]:
    """Nothing for a schema whose fingerprint is there: the fingerprint leaves out docs and defaults."""
    path = archive / f"{fingerprint_name(fingerprint(schema))}.avsc"
    if not path.is_file():
        yield path, dumped(schema)
    elif set(logical_types(read_schema(path))) != set(logical_types(schema)):
        raise ValueError(
            f"{schema['name']} differs from {path.name} in a logical type only, which the fingerprint does not show, "
            "so records written earlier would be misread; add a field with another name instead"
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m processor.codec.generate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where something is stale")
    parser.add_argument("--schemas", type=Path, default=shipped_schemas(), help="folder (default: the shipped one)")
    options = parser.parse_args(arguments)
    try:
        faults = _check(options.schemas) if options.check else _write(options.schemas)
    except ValueError as unreadable:
        faults = [str(unreadable)]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


def _write(folder: Path) -> list[str]:
    for path, text in generated(folder):
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path}\n")
    for path in _orphans(folder):
        path.unlink()
        sys.stdout.write(f"{path} removed\n")
    return list(_broken(folder))


def _check(folder: Path) -> list[str]:
    stale = [path for path, text in generated(folder) if not path.is_file() or path.read_text(encoding="utf-8") != text]
    return [
        *(f"{path} is stale; run python -m processor.codec.generate" for path in [*stale, *_orphans(folder)]),
        *_broken(folder),
    ]


def _orphans(folder: Path) -> list[Path]:
    """Generated corrections whose object is gone."""
    objects = {path.stem for path in (folder / "objects").glob("*.avsc")}
    return [
        p for p in sorted((folder / "generated").glob("*.avsc")) if p.stem.removesuffix("Correction") not in objects
    ]


def _broken(folder: Path) -> Iterator[str]:
    for path in [*sorted(folder.glob("*.avsc")), *sorted((folder / "generated").glob("*.avsc"))]:
        yield from incompatibilities(read_schema(path), folder / "archive")


if __name__ == "__main__":
    sys.exit(main())
