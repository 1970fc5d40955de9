"""A catalog of the shipped objects, as far as the codec looks at one."""

from typing import Any
from zoneinfo import ZoneInfo

from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog, FieldSpec, KeyType, Kind, Limits, ObjectType, Owner, Rule, Table

OBJECTS = (
    "PersonIdentity",
    "Enrollment",
    "Employment",
    "EmploymentAssignment",
    "Behavior",
    "EnglishLearner",
    "Graduation",
    "TestScore",
)


def catalog_of(*names: str, files: SchemaFiles | None = None) -> Catalog:
    """Every field on both sides in a column of its own name."""
    schemas = files or SchemaFiles()
    objects = {name: _object(schemas.object(name)) for name in names}
    return Catalog(objects, {}, Limits())


def _object(schema: dict[str, Any]) -> ObjectType:
    side = Table(schema["name"], "id", KeyType.INTEGER, None, ZoneInfo("UTC"))
    fields = tuple(_field(field) for field in schema["fields"])
    return ObjectType(schema["name"], KeyType.INTEGER, fields, side, side, None, 0)


def _field(field: dict[str, Any]) -> FieldSpec:
    branch = field["type"][1]
    return FieldSpec(
        name=field["name"],
        kind=Kind(branch if isinstance(branch, str) else branch["logicalType"]),
        owner=Owner(field.get("owner", "district")),
        rules=frozenset(Rule(rule) for rule in field.get("compare", ())),
        district_column=field["name"],
        state_column=field["name"],
        precision=0 if isinstance(branch, str) else branch.get("precision", 0),
        scale=0 if isinstance(branch, str) else branch.get("scale", 0),
    )
