"""The schema files, the core's dataclasses and the archive say the same."""

import dataclasses
import json
from pathlib import Path

import avro.schema
import pytest

from processor.codec.compatibility import incompatibilities
from processor.codec.generate import main, with_current_symbols
from processor.codec.record_types import FIXED, RecordType
from processor.codec.schema_files import RECORDS, shipped_schemas
from processor.codec.schema_text import Schema, definitions, dumped, fingerprint, fingerprint_name, read_schema

SHIPPED = shipped_schemas()
WIRE_FILES = sorted([*SHIPPED.glob("*.avsc"), *(SHIPPED / "generated").glob("*.avsc")])
ALL_FILES = sorted(SHIPPED.rglob("*.avsc"))


def test_generated_schemas_and_archive_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert (main(["--check"]), capsys.readouterr().err) == (0, "")


def test_every_schema_of_the_folder_is_a_record_of_a_topic() -> None:
    assert sorted(path.stem for path in SHIPPED.glob("*.avsc")) == sorted(RECORDS)


@pytest.mark.parametrize("record", FIXED, ids=lambda record: str(record.name))
def test_a_record_has_the_fields_of_its_dataclass_in_order(record: RecordType) -> None:
    schema = read_schema(SHIPPED / f"{record.name.rpartition('.')[2]}.avsc")
    ours = [f.name for f in dataclasses.fields(record.type) if f.name not in ("not_understood", "is_gone")]
    assert [f["name"] for f in schema["fields"]] == ours


@pytest.mark.parametrize("path", WIRE_FILES, ids=lambda path: str(path.stem))
def test_a_type_in_several_files_is_one_type(path: Path) -> None:
    everywhere = {
        name: body
        for other in WIRE_FILES
        for name, body in definitions(read_schema(other)).items()
        if other.parent == SHIPPED
    }
    for name, body in definitions(read_schema(path)).items():
        assert body == everywhere.get(name, body)


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: str(path.stem))
def test_everything_is_documented_and_enums_can_grow(path: Path) -> None:
    for name, body in definitions(read_schema(path)).items():
        assert body.get("doc"), name
        assert [f["name"] for f in body.get("fields", ()) if not f.get("doc")] == []
        if body["type"] == "enum":
            assert (body["symbols"][0], body.get("default")) == ("UNKNOWN", "UNKNOWN")


@pytest.mark.parametrize("path", sorted((SHIPPED / "objects").glob("*.avsc")), ids=lambda path: str(path.stem))
def test_every_field_of_an_object_may_be_null(path: Path) -> None:
    for field in read_schema(path)["fields"]:
        assert (field["type"][0], len(field["type"]), field["default"]) == ("null", 2, None)


def test_a_request_needs_five_fields() -> None:
    fields = read_schema(SHIPPED / "ResyncRequest.avsc")["fields"]
    needed = [field["name"] for field in fields if "default" not in field]
    assert needed == ["request_id", "district_id", "object", "selection", "requested_by"]


def plain(schema: Schema) -> Schema:
    """Without logical types, which the other implementation fails to strip from the canonical form."""
    match schema:
        case {"logicalType": _, "type": name}:
            return name
        case dict():
            return {key: plain(value) for key, value in schema.items()}
        case list():
            return [plain(item) for item in schema]
    return schema


@pytest.mark.parametrize("path", WIRE_FILES, ids=lambda path: str(path.stem))
def test_the_fingerprint_is_that_of_another_implementation(path: Path) -> None:
    schema = read_schema(path)
    theirs = avro.schema.parse(json.dumps(plain(schema))).fingerprint("CRC-64-AVRO")
    assert fingerprint(schema) == int.from_bytes(theirs, "little")


def test_fingerprints_of_the_specification_and_of_the_java_library() -> None:
    assert fingerprint_name(fingerprint("null")) == "63dd24e7cc258f8a"
    assert fingerprint_name(fingerprint(read_schema(SHIPPED / "Cleared.avsc"))) == "4ce951f9ffb9852f"


@pytest.mark.parametrize("path", sorted((SHIPPED / "archive").glob("*.avsc")), ids=lambda path: str(path.stem))
def test_the_archive_is_named_by_fingerprint(path: Path) -> None:
    assert path.stem == fingerprint_name(fingerprint(read_schema(path)))


@pytest.mark.parametrize("path", WIRE_FILES, ids=lambda path: str(path.stem))
def test_this_release_and_every_earlier_one_read_each_other(path: Path) -> None:
    assert list(incompatibilities(read_schema(path), SHIPPED / "archive")) == []


@pytest.mark.parametrize("path", WIRE_FILES, ids=lambda path: str(path.stem))
def test_writing_a_schema_out_changes_nothing(path: Path) -> None:
    assert dumped(read_schema(path)) == path.read_text(encoding="utf-8")


def test_enums_follow_the_core_by_appending() -> None:
    enum = {"type": "enum", "name": "ChunkState", "symbols": ["UNKNOWN", "DONE", "RETIRED"], "default": "UNKNOWN"}
    assert with_current_symbols(["null", enum])[1]["symbols"] == ["UNKNOWN", "DONE", "RETIRED", "PENDING"]
