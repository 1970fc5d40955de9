import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.catalog_file import CatalogError, Secrets, load_catalog
from processor.core.catalog import (
    Catalog,
    Crosswalk,
    FieldSpec,
    KeyType,
    Kind,
    Limits,
    Lookup,
    Naming,
    Owner,
    ParentRef,
    Rule,
)

SCHEMAS: dict[str, list[dict[str, Any]]] = {
    "Person": [
        {"name": "lastName", "type": ["null", "string"], "default": None, "compare": ["trim"]},
        {"name": "gender", "type": ["null", "string"], "default": None},
        {
            "name": "ratio",
            "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}],
            "default": None,
        },
        {"name": "rank", "type": ["null", "long"], "default": None, "owner": "state"},
    ],
    "Enrollment": [
        {"name": "personID", "type": ["null", "long"], "default": None},
        {"name": "grade", "type": ["null", "string"], "default": None},
        {"name": "rank", "type": ["null", "long"], "default": None, "owner": "state"},
    ],
}
GOOD: dict[str, Any] = {
    "timezone": "America/Chicago",
    "limits": {"allow_delete": True, "max_deletes": 7},
    "crosswalks": {"gender": "gender.csv"},
    "districts": {
        "NORTH": {"name": "Northfield", "dsn": "host=${NORTH_HOST} dbname=x", "epoch": 2},
        "RIVER": {"dsn": "dbname=river"},
    },
    "objects": {
        "Person": {
            "key": "integer",
            "district": {"table": "sis.person", "key": "person_id"},
            "state": {"table": "person", "key": "district_key", "district_column": "district_id", "timezone": "UTC"},
            "fields": {
                "lastName": "last_name",
                "gender": {"district": "sex", "state": "gender_code", "crosswalk": "gender"},
                "ratio": {"district": "ratio"},
            },
        },
        "Enrollment": {
            "key": "integer",
            "parent": {"object": "Person", "field": "personID"},
            "district": {"table": "enrollment", "key": "id", "key_type": "text"},
            "state": {"table": "enrollment", "key": "id", "district_column": "district_id"},
            "fields": {
                "personID": {
                    "district": "person_id",
                    "state": "state_person_id",
                    "lookup": {
                        "table": "person",
                        "district_column": "district_id",
                        "key": "district_key",
                        "id": "state_id",
                    },
                },
                "grade": "grade",
            },
        },
    },
}


def object_schema(name: str) -> Mapping[str, Any]:
    if name not in SCHEMAS:
        raise ValueError(f"there is no schema {name}.avsc")
    return {"name": name, "fields": SCHEMAS[name]}


class Folder:
    """A catalog's folder, with a crosswalk beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("gender.csv", "district,state\nF,2\nM,1\n")

    def write(self, name: str, text: str) -> Path:
        place = self.path / name
        place.write_text(text, encoding="utf-8")
        return place

    def load(self, document: Any = GOOD, secrets: Secrets = Secrets.NEEDED) -> Catalog:
        return load_catalog(self.write("catalog.yaml", yaml.safe_dump(document)), object_schema, secrets)

    def problems(self, document: Any) -> list[str]:
        with pytest.raises(CatalogError) as caught:
            self.load(document)
        return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("NORTH_HOST", "north.example")
    return Folder(tmp_path)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good document with one place changed, or dropped where the value is None."""
    document = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    place: Any = document
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


def test_a_catalog_is_what_file_and_schemas_say(folder: Folder) -> None:
    catalog = folder.load()
    assert catalog.limits == Limits(allow_delete=True, max_deletes=7)
    north, river = catalog.districts.values()
    assert (north.name, north.dsn, north.epoch) == ("Northfield", "host=north.example dbname=x", 2)
    assert (river.name, river.dsn, river.epoch) == ("RIVER", "dbname=river", 1)

    person, enrollment = catalog.objects["Person"], catalog.objects["Enrollment"]
    gender = Crosswalk("gender", {"F": "2", "M": "1"})
    assert person.fields == (
        FieldSpec("lastName", Kind.STRING, Owner.DISTRICT, frozenset({Rule.TRIM}), "last_name", "last_name"),
        FieldSpec("gender", Kind.STRING, Owner.DISTRICT, frozenset(), "sex", "gender_code", crosswalk=gender),
        FieldSpec("ratio", Kind.DECIMAL, Owner.DISTRICT, frozenset(), "ratio", None, 5, 2),
        FieldSpec("rank", Kind.LONG, Owner.STATE, frozenset(), None, None),
    )
    assert [f.name for f in person.compared] == ["lastName", "gender"], "only what both sides keep"
    assert (person.district.timezone.key, person.state.timezone.key) == ("America/Chicago", "UTC")
    assert (person.district.name, person.district.district_column) == ("sis.person", None)
    assert (person.parent, person.depth) == (None, 0)
    assert (enrollment.parent, enrollment.depth) == (ParentRef("Person", "personID", KeyType.INTEGER), 1)
    assert (enrollment.district.key_type, enrollment.state.key_type) == (KeyType.TEXT, KeyType.INTEGER)
    assert enrollment.by_name["personID"].state_lookup == Lookup("person", "district_id", "district_key", "state_id")


def test_a_catalog_says_how_filters_call_things(folder: Folder) -> None:
    document = changed("open_years", [2026, 2027])
    naming = {"aliases": ["student"], "key": "personID", "last_name": "lastName"}
    document["objects"]["Person"] |= {"school_year": "rank", "naming": naming}
    catalog = folder.load(document)
    person = catalog.objects["Person"]
    assert catalog.open_years == {2026, 2027}
    assert (person.school_year, person.modified) == ("rank", None)
    assert person.naming == Naming(("student",), "personID", "lastName", None)
    assert folder.load().open_years == frozenset()


def test_a_district_has_readers_of_its_own_number_or_those_of_all(folder: Folder) -> None:
    document = changed("limits.readers", 3)
    document["districts"]["NORTH"]["readers"] = 2
    catalog = folder.load(document)
    assert [each.readers for each in catalog.districts.values()] == [2, 3]
    assert [each.readers for each in folder.load().districts.values()] == [1, 1]


def test_a_district_s_connection_is_neither_needed_nor_kept_by_who_does_not_read_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NORTH_HOST")
    catalog = folder.load(secrets=Secrets.LEFT_OUT)
    assert catalog.districts["NORTH"].dsn == "host=${NORTH_HOST} dbname=x"
    with pytest.raises(CatalogError, match=r"districts.NORTH.dsn: the environment has no NORTH_HOST"):
        folder.load()


def test_a_connection_string_is_never_shown(folder: Folder) -> None:
    assert "north.example" not in repr(folder.load())


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("timezone", "Chicago", "timezone: Value error, is not a timezone of the IANA database"),
        ("limits.max_keys", 0, "limits.max_keys: Input should be greater than or equal to 1"),
        ("limits.max_delete", 1, "limits.max_delete: Extra inputs are not permitted"),
        ("limits.scan_share", 0, "limits.scan_share: Input should be greater than 0"),
        ("limits.scan_share", 1.1, "limits.scan_share: Input should be less than or equal to 1"),
        ("limits.readers", 0, "limits.readers: Input should be greater than or equal to 1"),
        ("districts.NORTH.readers", 17, "districts.NORTH.readers: Input should be less than or equal to 16"),
        ("districts", {}, "districts: Dictionary should have at least 1 item after validation, not 0"),
        ("districts.NORTH.dsn", None, "districts.NORTH.dsn: Field required"),
        ("districts.NORTH.epoch", 0, "districts.NORTH.epoch: Input should be greater than or equal to 1"),
        ("districts.NORTH.epoch", 2**63, "districts.NORTH.epoch: Input should be less than or equal to"),
        ("limits.hold_changes", 2**63, "limits.hold_changes: Input should be less than or equal to"),
        ("limits.hold_deletes", 2**63, "limits.hold_deletes: Input should be less than or equal to"),
        ("districts.a b", {"dsn": ""}, "districts.a b: an id is 1 to 64 of A-Z a-z 0-9 . _ -"),
        ("crosswalks.gender", "none.csv", "crosswalks.gender: none.csv cannot be read: "),
        ("crosswalks", None, "objects.Person.fields.gender: there is no crosswalk gender"),
        ("objects.Person.key", "number", "objects.Person.key: Input should be 'integer', 'uuid' or 'text'"),
        (
            "objects.Person.district.table",
            'person"; drop table person; --',
            "objects.Person.district.table: Value error, is not a name of a table or column",
        ),
        (
            "objects.Person.state.district_column",
            None,
            "objects.Person.state: needs district_column, since districts share the state's tables",
        ),
        ("objects.Person.fields.shoeSize", "shoe", "objects.Person.fields.shoeSize: the schema has no such field"),
        ("objects.Pupil", GOOD["objects"]["Person"], "objects.Pupil: there is no schema Pupil.avsc"),
        (
            "objects.Person.fields",
            {"ratio": {"district": "ratio"}},
            "objects.Person: no field that the district owns has a column on both sides",
        ),
        (
            "objects.Person.state.key_type",
            "uuid",
            "objects.Person.state.key_type: uuid cannot hold every integer key",
        ),
        ("objects.Enrollment.parent.object", "Pupil", "objects.Enrollment.parent: there is no object Pupil"),
        (
            "objects.Enrollment.parent.field",
            "pupilID",
            "objects.Enrollment.parent: field pupilID must have a column on both sides",
        ),
        (
            "objects.Enrollment.parent.field",
            "grade",
            "objects.Enrollment.parent: field grade is a string, keys of Person are integer",
        ),
        (
            "objects.Enrollment.fields.rank",
            {"district": "rank", "state": "rank", "crosswalk": "gender"},
            "objects.Enrollment.fields.rank: only a string can have a crosswalk",
        ),
        (
            "objects.Person.fields.gender.state",
            "last_name",
            "objects.Person.fields.gender: column last_name is that of lastName already",
        ),
        (
            "objects.Person.fields.gender.state",
            "district_key",
            "objects.Person.fields.gender: column district_key is the state's key already",
        ),
        (
            "objects.Person.fields.gender.state",
            "district_id",
            "objects.Person.fields.gender: column district_id is the state's district_column already",
        ),
        (
            "objects.Person.parent",
            {"object": "Enrollment", "field": "lastName"},
            "objects.Person.parent: the parents run in a circle",
        ),
        (
            "objects.Enrollment.parent",
            {"object": "Enrollment", "field": "personID"},
            "objects.Enrollment.parent: the parents run in a circle",
        ),
        ("open_years", ["soon"], "open_years.0: Input should be a valid integer"),
        (
            "objects.Person.modified",
            "lastName",
            "objects.Person.modified: lastName is not a timestamp-micros field of the object",
        ),
        ("objects.Person.school_year", "year", "objects.Person.school_year: year is not a long field of the object"),
        (
            "objects.Person.naming",
            {"first_name": "ratio"},
            "objects.Person.naming.first_name: ratio is not a string field of the object",
        ),
        ("objects.Person.naming", {"key": "rank"}, "objects.Person.naming.key: rank is a field of the object already"),
        (
            "objects.Person.naming",
            {"aliases": ["a b"]},
            "objects.Person.naming.aliases.0: Value error, is not a word of ASCII letters, digits and _",
        ),
        (
            "objects.Person.naming",
            {"aliases": ["enrollment"]},
            "objects.Person.naming.aliases: enrollment is the name of another object",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(folder: Folder, path: str, value: Any, problem: str) -> None:
    assert any(told.startswith(problem) for told in folder.problems(changed(path, value)))


def test_a_parent_s_reference_must_be_the_district_s(folder: Folder) -> None:
    document = changed("objects.Enrollment.fields.rank", "rank")
    document["objects"]["Enrollment"]["parent"]["field"] = "rank"
    told = folder.problems(document)
    assert told == ["objects.Enrollment.parent: field rank must be owned by the district"]


def test_every_mistake_is_told_at_once(folder: Folder) -> None:
    document = changed("objects.Person.state.district_column", None)
    document["districts"]["NORTH"]["dsn"] = "${NOWHERE}"
    document["objects"]["Enrollment"]["parent"]["object"] = "Pupil"
    assert len(folder.problems(document)) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("from,to\nF,2\n", "crosswalks.gender: gender.csv needs the columns district and state"),
        ("", "crosswalks.gender: gender.csv needs the columns district and state"),
        ("district,state\nF,2\nF,1\n", "crosswalks.gender: gender.csv line 3 repeats a district code"),
        ("district,state\nF\n", "crosswalks.gender: gender.csv line 2 has no state code"),
    ],
)
def test_crosswalks_are_checked(folder: Folder, text: str, problem: str) -> None:
    folder.write("gender.csv", text)
    assert folder.problems(GOOD) == [problem]


def test_a_crosswalk_may_come_from_a_spreadsheet(folder: Folder) -> None:
    folder.write("gender.csv", '\ufeffdistrict,note,state\r\n"F, f",old,2\r\n')
    gender = folder.load().objects["Person"].by_name["gender"].crosswalk
    assert gender is not None
    assert gender.to_state == {"F, f": "2"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"districts: [S3CR3T", "is not YAML: line 1, column 19"),
        (b"districts: \xff", "is not UTF-8"),
        (b"", "the whole: Input should be a valid dictionary or instance of _CatalogEntry"),
    ],
)
def test_a_file_that_is_no_catalog(folder: Folder, content: bytes, problem: str) -> None:
    path = folder.path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(CatalogError) as caught:
        load_catalog(path, object_schema, Secrets.LEFT_OUT)
    assert caught.value.problems == [problem]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    says = r"none.yaml: cannot be read: No such file or directory \(RESYNC_CATALOG says where it is\)$"
    with pytest.raises(CatalogError, match=says):
        load_catalog(tmp_path / "none.yaml", object_schema, Secrets.LEFT_OUT)
