"""A catalog of the shipped objects, as far as the codec looks at one."""

from typing import Any
from zoneinfo import ZoneInfo

from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog, FieldSpec, KeyType, Limits, ObjectType, Table
from processor.object_schema import field_types

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
    fields = tuple(
        FieldSpec(name, kind.kind, kind.owner, kind.rules, name, name, kind.precision, kind.scale)
        for name, kind in field_types(schema).items()
    )
    return ObjectType(schema["name"], KeyType.INTEGER, fields, side, side, None, 0)
