"""The catalog of `tables.sql`, built by hand so that these tests need no files of a deployment."""

from zoneinfo import ZoneInfo

from processor.core.catalog import (
    Catalog,
    FieldSpec,
    KeyType,
    Kind,
    Limits,
    Lookup,
    ObjectType,
    Owner,
    ParentRef,
    Rule,
    Table,
)

CHICAGO = ZoneInfo("America/Chicago")
PERSON_LOOKUP = Lookup("person", "district_id", "person_id", "state_id")


def field(
    name: str,
    column: str,
    kind: Kind = Kind.STRING,
    *,
    owner: Owner = Owner.DISTRICT,
    rules: frozenset[Rule] = frozenset(),
    scale: int = 0,
    lookup: Lookup | None = None,
) -> FieldSpec:
    return FieldSpec(name, kind, owner, rules, column, column, 6 if scale else 0, scale, None, lookup)


def table(name: str, key: str, key_type: KeyType) -> Table:
    return Table(name, key, key_type, "district_id", CHICAGO)


PERSON = ObjectType(
    "Person",
    KeyType.INTEGER,
    (
        field("lastName", "last_name"),
        field("firstName", "first_name", rules=frozenset({Rule.CASEFOLD})),
        field("nickname", "nickname"),
        field("code", "code"),
        field("ratio", "ratio", Kind.DECIMAL, scale=2),
        field("rate", "rate", Kind.DOUBLE),
        field("born", "born", Kind.DATE),
        field("seenAt", "seen_at", Kind.TIMESTAMP),
        field("localAt", "local_at", Kind.TIMESTAMP),
        field("visits", "visits", Kind.LONG),
        field("active", "active", Kind.BOOLEAN),
        field("nationalID", "national_id"),
        field("funding", "funding", owner=Owner.STATE),
    ),
    table("person", "person_id", KeyType.INTEGER),
    table("person", "person_id", KeyType.INTEGER),
    None,
    0,
)
ENROLLMENT = ObjectType(
    "Enrollment",
    KeyType.INTEGER,
    (
        field("personID", "state_person_id", Kind.LONG, lookup=PERSON_LOOKUP),
        field("mentorID", "mentor_id", Kind.LONG, lookup=PERSON_LOOKUP),
        field("schoolNumber", "school_number"),
        field("grade", "grade"),
        field("entryDate", "entry_date", Kind.DATE),
        field("exitDate", "exit_date", Kind.DATE),
    ),
    table("enrollment", "enrollment_id", KeyType.INTEGER),
    table("enrollment", "enrollment_id", KeyType.INTEGER),
    ParentRef("Person", "personID"),
    1,
)
BEHAVIOR = ObjectType(
    "Behavior",
    KeyType.TEXT,
    (field("enrollmentID", "enrollment_id", Kind.LONG), field("code", "code")),
    table("behavior", "behavior_id", KeyType.TEXT),
    table("behavior", "behavior_id", KeyType.TEXT),
    ParentRef("Enrollment", "enrollmentID"),
    2,
)
NOTE = ObjectType(
    "Note",
    KeyType.UUID,
    (field("personID", "person_id", Kind.LONG), field("body", "body")),
    table("note", "note_id", KeyType.UUID),
    table("note", "note_id", KeyType.UUID),
    ParentRef("Person", "personID"),
    1,
)
CATALOG = Catalog({o.name: o for o in (BEHAVIOR, ENROLLMENT, NOTE, PERSON)}, {}, Limits())
