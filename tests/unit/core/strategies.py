"""Column texts as Postgres writes them, of every kind of value, odd ones included."""

from datetime import UTC

from hypothesis import strategies as st

from processor.core.catalog import FieldSpec, Kind
from processor.core.values import WireValue

ODD_TEXTS: dict[Kind, list[str]] = {
    Kind.STRING: [
        "",
        " ",
        "a ",
        " a",
        "é",
        "e\u0301",
        "ﬁ",
        "ß",
        "SS",
        "🙂",
        "\u200b",
        "\u202eabc",
        "'",
        '"',
        "\\",
        "NULL",
        "!dangling",
    ],
    Kind.LONG: [
        "0",
        "-0",
        "7",
        "007",
        "7.0",
        "1e3",
        "9223372036854775807",
        "9223372036854775808",
        "NaN",
        "Infinity",
        "７",
        "",
    ],
    Kind.BOOLEAN: ["t", "f", "true", "false", "1", "0", "Y", "maybe", ""],
    Kind.DOUBLE: ["0", "-0", "0.1", "1e3", "1e400", "5e-324", "NaN", "Infinity", "-Infinity", "nan", "x"],
    Kind.DATE: ["0001-01-01", "9999-12-31", "2026-02-30", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01", ""],
    Kind.TIMESTAMP: [
        "infinity",
        "-infinity",
        "0044-03-15 12:00:00 BC",
        "0044-03-15 12:00:00+00 BC",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59.999999",
        "10000-01-01 00:00:00",
        "2026-11-01 01:30:00",
        "2026-03-08 02:30:00",
        "2026-08-01 13:00:00+00",
        "",
    ],
    Kind.DECIMAL: [
        "0",
        "-0.00",
        "1.5",
        "1.50",
        "1.505",
        "-1.505",
        "9999.99",
        "10000",
        "1e2",
        "NaN",
        "Infinity",
        "1e9999999",
    ],
}

_numbers = st.decimals(-10_000, 10_000, allow_nan=False, places=3)
_READABLE: dict[Kind, st.SearchStrategy[str]] = {
    Kind.STRING: st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
    Kind.LONG: st.integers(-(2**63), 2**63 - 1).map(str),
    Kind.BOOLEAN: st.sampled_from(["true", "false", "t", "f"]),
    Kind.DOUBLE: st.floats(allow_nan=False).map(repr),
    Kind.DATE: st.dates().map(str),
    Kind.TIMESTAMP: st.datetimes().map(lambda at: at.isoformat(sep=" ")),
    Kind.DECIMAL: _numbers.map(str) | _numbers.map(lambda number: f"{number:.1f}"),
}


def column_texts(field: FieldSpec) -> st.SearchStrategy[str | None]:
    """What a column may hold: null, any value of the field's kind, and values that the kind cannot carry."""
    if field.crosswalk is not None:
        return st.none() | st.sampled_from(["F", "M", "X", "?"])
    return st.none() | st.sampled_from(ODD_TEXTS[field.kind]) | _READABLE[field.kind]


def wire_values(field: FieldSpec) -> st.SearchStrategy[WireValue]:
    """Python values as Avro gives them for a field's kind."""
    values: dict[Kind, st.SearchStrategy[WireValue]] = {
        Kind.STRING: st.text(),
        Kind.LONG: st.integers(-(2**63), 2**63 - 1),
        Kind.BOOLEAN: st.booleans(),
        Kind.DOUBLE: st.floats(),
        Kind.DATE: st.dates(),
        Kind.TIMESTAMP: st.datetimes(timezones=st.just(UTC)),
        Kind.DECIMAL: st.decimals(-9_999, 9_999, places=field.scale),
    }
    return values[field.kind]
