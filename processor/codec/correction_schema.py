"""The record that carries an object's corrections, built from the object's own schema."""

from processor.codec.schema_text import NAMESPACE, Schema, definitions, inlined
from processor.core.correction import Op

_OP = {
    "type": "enum",
    "name": "Op",
    "doc": "Operation, in Debezium's letters: create, update, delete.",
    "symbols": ["UNKNOWN", *(op.value for op in Op)],
    "default": "UNKNOWN",
}


def correction_name(object_name: str) -> str:
    """Full name of the record that carries corrections of an object."""
    return f"{NAMESPACE}.{object_name}Correction"


def object_of(name: str) -> str | None:
    """The inverse of `correction_name`; None for the name of another record."""
    prefix, suffix = f"{NAMESPACE}.", "Correction"
    return name[len(prefix) : -len(suffix)] if name.startswith(prefix) and name.endswith(suffix) else None


def values_name(object_name: str) -> str:
    """Full name of the record that holds an object's district-owned fields."""
    return f"{NAMESPACE}.{object_name}Values"


def correction_schema(object_schema: Schema, answer: Schema) -> Schema:
    """`<Object>Correction`: operation, the district-owned fields before and after, parent, source.

    `answer` is the Answer record, whose types for source and parent are used, so that an applier can echo them.
    """
    name = object_schema["name"]
    values: Schema = {
        "type": "record",
        "name": f"{name}Values",
        "doc": f"The district-owned fields of {name}.",
        "fields": [
            {key: field[key] for key in ("name", "type", "default", "doc") if key in field}
            for field in object_schema["fields"]
            if field.get("owner", "district") == "district"
        ],
    }
    fields = [
        {"name": "op", "type": "Op", "doc": "What the state shall do with the row."},
        {
            "name": "before",
            "type": ["null", values["name"]],
            "default": None,
            "doc": "The state's row as it was compared; null for c. The row is changed only while it still is so.",
        },
        {
            "name": "after",
            "type": ["null", values["name"]],
            "default": None,
            "doc": "The row as it shall be; null for d. Only source.changed_fields are written.",
        },
        {
            "name": "parent",
            "type": ["null", "Parent"],
            "default": None,
            "doc": "The record that must be at the state first.",
        },
        {"name": "source", "type": "Source", "doc": "Where the correction comes from; echoed in its answer."},
    ]
    record = {
        "type": "record",
        "name": f"{name}Correction",
        "namespace": NAMESPACE,
        "doc": f"What the state is asked to do with one row of {name}. Generated from objects/{name}.avsc.",
        "fields": fields,
    }
    return inlined(record, {**definitions(answer), values["name"]: values, "Op": _OP})
