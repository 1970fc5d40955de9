"""What an object's Avro schema says of its fields: kind, owner, compare rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processor.core.catalog import Kind, Owner, Rule


@dataclass(frozen=True, slots=True)
class FieldType:
    kind: Kind
    owner: Owner
    rules: frozenset[Rule]
    precision: int
    scale: int


def field_types(schema: Mapping[str, Any]) -> dict[str, FieldType]:
    """Field name to type, in schema order. Raises ValueError, naming the field, for what is not supported."""
    return {field["name"]: _field_type(field) for field in schema["fields"]}


def _field_type(field: Mapping[str, Any]) -> FieldType:
    name, union = field["name"], field["type"]
    if not (isinstance(union, list) and len(union) == 2 and union[0] == "null" and field.get("default", 0) is None):
        raise ValueError(f'field {name}: the type must be ["null", T] with default null')
    declared = union[1] if isinstance(union[1], dict) else {"type": union[1]}
    try:
        kind = Kind(str(declared.get("logicalType", declared["type"])))
        owner = Owner(field.get("owner", Owner.DISTRICT))
        rules = frozenset(Rule(rule) for rule in field.get("compare", ()))
    except ValueError as error:
        raise ValueError(f"field {name}: {error}") from None
    return FieldType(kind, owner, rules, declared.get("precision", 0), declared.get("scale", 0))
