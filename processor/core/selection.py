"""A filter's text becomes a condition on an object of the catalog: names are found, values typed and made canonical."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from processor.core.catalog import Catalog, Crosswalk, FieldSpec, KeyType, Kind, ObjectType, Owner
from processor.core.condition import AllOf, Compare, Condition, IsNull, OneOf, Operand, Operator, StartsWith, leaves
from processor.core.errors import InvalidKey, Unrepresentable
from processor.core.filter_text import FilterError, Form, Relation, Token, parse
from processor.core.keys import canonical_key
from processor.core.request import Side
from processor.core.scope import NoSchoolYear, check_year
from processor.core.values import canonical

KEY = "key"
"""The name of every object's key, besides the one that the catalog gives it."""

_NUMBERS = frozenset({Kind.LONG, Kind.DECIMAL, Kind.DOUBLE})
_NEEDS: dict[Kind, tuple[frozenset[Form], str]] = {
    Kind.STRING: (frozenset({Form.TEXT}), "a text in single quotes"),
    Kind.BOOLEAN: (frozenset({Form.NAME}), "true or false"),
    Kind.DATE: (frozenset({Form.TIME, Form.TEXT}), "a date such as 2026-08-01"),
    Kind.TIMESTAMP: (frozenset({Form.TIME, Form.TEXT}), "a time such as 2026-08-01T13:00 or '2026-08-01 13:00:00-05'"),
    **dict.fromkeys(_NUMBERS, (frozenset({Form.NUMBER}), "a number without quotes")),
}


def select(text: str, kind: ObjectType, catalog: Catalog, sides: Collection[Side] = tuple(Side)) -> Condition:
    """The condition that a filter of an object means. `sides` are those that it will be asked of.

    Raises FilterError, and YearNotOpen where it names a school year that is not open.
    """
    condition = parse(text, _Typing(kind, catalog, sides).test)
    _check_years(condition, catalog)
    return condition


def in_year(condition: Condition, year: str, kind: ObjectType, catalog: Catalog, side: Side) -> Condition:
    """The condition within one school year, by the object's own year or that of its nearest ancestor that has one.

    Raises YearNotOpen, NoSchoolYear where there is no such column, and FilterError where the year is no number.
    """
    check_year(year, catalog)
    operand = school_year(kind, catalog, side)
    if operand is None:
        raise NoSchoolYear(f"{kind.name} has no school year at the {side.lower()}, and nothing above it has one")
    return AllOf((Compare(operand, Operator.EQUAL, _canonical(operand, year.strip(), 1)), condition))


def school_year(kind: ObjectType, catalog: Catalog, side: Side) -> Operand | None:
    """The object's own, or that of its nearest ancestor that has one at a side."""
    named = (_named(path, path[-1].school_year, side) for path in paths(kind, catalog))
    return next((operand for operand in named if operand is not None), None)


def paths(kind: ObjectType, catalog: Catalog) -> Iterator[tuple[ObjectType, ...]]:
    """The object alone, then the way to each of its ancestors, the nearest first."""
    path: tuple[ObjectType, ...] = (kind,)
    yield path
    while (parent := path[-1].parent) is not None and parent.object in catalog.objects:
        path = (*path, catalog.objects[parent.object])
        yield path


def key_field(kind: ObjectType) -> FieldSpec:
    """An object's key as if it were a field."""
    value = Kind.LONG if kind.key_type is KeyType.INTEGER else Kind.STRING
    return FieldSpec(KEY, value, Owner.NONE, frozenset(), kind.district.key_column, kind.state.key_column)


def names_of_person(kind: ObjectType, catalog: Catalog, side: Side) -> tuple[Operand | None, Operand | None]:
    """Last and first name of the person that a record is of: the object's own, else its nearest ancestor's."""
    for path in paths(kind, catalog):
        naming = path[-1].naming
        names = _named(path, naming.last_name, side), _named(path, naming.first_name, side)
        if names != (None, None):
            return names
    return None, None


def _named(path: tuple[ObjectType, ...], name: str | None, side: Side) -> Operand | None:
    """A field that the catalog names for a purpose, where it names one and the side keeps it."""
    operand = None if name is None else Operand(path, path[-1].by_name[name])
    return operand if operand is not None and operand.column(side) is not None else None


class _Typing:
    def __init__(self, kind: ObjectType, catalog: Catalog, sides: Collection[Side]) -> None:
        self._paths = list(paths(kind, catalog))
        self._kind = kind
        self._sides = sides

    def test(self, name: Token, relation: Relation, values: list[Token]) -> Condition:
        """The meaning of one test; see `filter_text.parse`."""
        if relation is Relation.MODIFIED_SINCE:
            return Compare(self._modified(name), Operator.AT_LEAST, self._value(self._modified(name), values[0]))
        operand = self._operand(name)
        match relation:
            case Relation.IS_NULL:
                return IsNull(operand)
            case Relation.IN:
                return OneOf(operand, tuple(dict.fromkeys(self._value(operand, value) for value in values)))
            case Relation.STARTS_WITH:
                return StartsWith(operand, self._prefix(operand, values[0]))
            case _:
                operator = Operator(relation)
                if operand.field.kind is Kind.BOOLEAN and operator not in (Operator.EQUAL, Operator.UNEQUAL):
                    raise FilterError(name.position, f"{name.text} is true or false; only = and != make sense")
                return Compare(operand, operator, self._value(operand, values[0]))

    def _modified(self, at: Token) -> Operand:
        if self._kind.modified is None:
            raise FilterError(at.position, f"the catalog does not say when a record of {self._kind.name} was modified")
        return self._on_sides(Operand((self._kind,), self._kind.by_name[self._kind.modified]), at)

    def _operand(self, name: Token) -> Operand:
        """Bare names are of the object itself; with a qualifier the nearest that is called so and has such a field."""
        qualifier, _, field_name = name.text.rpartition(".")
        if not qualifier:
            field = _field(self._kind, field_name)
            if field is None:
                raise self._unknown(name)
            return self._on_sides(Operand((self._kind,), field), name)
        called = [path for path in self._paths if _is_called(path[-1], qualifier)]
        for path in called:
            field = _field(path[-1], field_name)
            if field is not None:
                return self._on_sides(nearest(path, field), name)
        raise self._unknown(name) if called else self._unknown_qualifier(name, qualifier)

    def _on_sides(self, operand: Operand, name: Token) -> Operand:
        for side in self._sides:
            if operand.column(side) is None:
                raise FilterError(name.position, f"the {side.lower()} has no column for {operand.field.name}")
        return operand

    def _unknown(self, name: Token) -> FilterError:
        known = sorted({shown for path in self._paths for shown in _names(path, self._kind)})
        hint = _close(name.text, known)
        return FilterError(name.position, f"{_cut(name.text)} is unknown for {self._kind.name}{hint}")

    def _unknown_qualifier(self, name: Token, qualifier: str) -> FilterError:
        known = [word for path in self._paths for word in (path[-1].name, *path[-1].naming.aliases)]
        return FilterError(
            name.position,
            f"{_cut(qualifier)} is neither {self._kind.name} nor above it{_close(qualifier, sorted(set(known)))}",
        )

    def _value(self, operand: Operand, value: Token) -> str:
        forms, wanted = _NEEDS[operand.field.kind]
        if value.form not in forms:
            raise FilterError(value.position, f"{operand.field.name} needs {wanted}, not {value}")
        text = _plain(value)
        if operand.field.crosswalk is not None:
            return _code(operand.field, operand.field.crosswalk, text, value.position)
        return _canonical(operand, text, value.position)

    def _prefix(self, operand: Operand, value: Token) -> str:
        if operand.field.kind is not Kind.STRING:
            raise FilterError(value.position, f"{operand.field.name} is no text, so it cannot start with one")
        if value.form is not Form.TEXT:
            raise FilterError(value.position, f"a text in single quotes should stand here, not {value}")
        return _plain(value)


def _field(kind: ObjectType, name: str) -> FieldSpec | None:
    """By its name in the catalog, else by that name in other capitals."""
    if name in kind.by_name:
        return kind.by_name[name]
    folded = name.casefold()
    if folded in {word.casefold() for word in (KEY, kind.naming.key) if word is not None}:
        return key_field(kind)
    found = [field for field in kind.fields if field.name.casefold() == folded]
    return found[0] if len(found) == 1 else None


def nearest(path: tuple[ObjectType, ...], field: FieldSpec) -> Operand:
    """A field of the object at the path's end; an ancestor's key stands in the record below, which saves a look."""
    if field.name == KEY and field.name not in path[-1].by_name and len(path) > 1:
        below = path[-2]
        if below.parent is not None:
            return Operand(path[:-1], below.by_name[below.parent.field])
    return Operand(path, field)


def _is_called(kind: ObjectType, word: str) -> bool:
    return word.casefold() in {name.casefold() for name in (kind.name, *kind.naming.aliases)}


def _names(path: tuple[ObjectType, ...], kind: ObjectType) -> Iterator[str]:
    qualifiers = ("",) if path[-1] is kind else tuple(f"{word}." for word in (path[-1].name, *path[-1].naming.aliases))
    own = [field.name for field in path[-1].fields if field.district_column or field.state_column]
    for word in (*own, KEY, *((path[-1].naming.key,) if path[-1].naming.key else ())):
        yield from (qualifier + word for qualifier in qualifiers)


def _close(word: str, known: list[str]) -> str:
    """Also names that are the same but for the qualifier, and for capitals."""
    by_folded = {name.casefold(): name for name in known}
    last = word.casefold().rpartition(".")[2]
    same = [name for folded, name in by_folded.items() if folded.rpartition(".")[2] == last]
    close = same or [by_folded[folded] for folded in get_close_matches(word.casefold()[:100], by_folded, 3)]
    return f"; did you mean {' or '.join(close[:3])}?" if close else f"; there are {', '.join(known)}"


def _cut(word: str) -> str:
    return word if len(word) <= 60 else f"{word[:60]}…"


def _plain(value: Token) -> str:
    """The text that a value's token stands for. Raises FilterError for what no column can hold."""
    if value.form is not Form.TEXT:
        return value.text.lower() if value.form is Form.NAME else value.text
    text = value.text[1:-1].replace("''", "'")
    if "\x00" in text:
        raise FilterError(value.position, "the text holds the character of code 0, which no column can hold")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise FilterError(value.position, "the text is not valid Unicode")
    return text


def _canonical(operand: Operand, text: str, position: int) -> str:
    """Times without a zone are the district's local time."""
    field, kind = operand.field, operand.kind
    hint = f"; write {_NEEDS[field.kind][1]}" if field.kind in (Kind.DATE, Kind.TIMESTAMP) else ""
    try:
        if field == key_field(kind):
            return canonical_key(text, kind.key_type)
        found = canonical(field, text, kind.district.timezone)
    except (InvalidKey, Unrepresentable) as why:
        raise FilterError(position, f"{why.detail}{hint}") from None
    if found is None or (field.kind is Kind.DOUBLE and found in ("inf", "-inf", "nan")):
        raise FilterError(position, f"{field.name}: the value is not a {field.kind}{hint}")
    return found


def _code(field: FieldSpec, crosswalk: Crosswalk, text: str, position: int) -> str:
    """A code of the state. Texts of a crosswalk are codes, so an unknown one is a slip and not a value."""
    codes = sorted(set(crosswalk.to_state.values()))
    if text in codes:
        return text
    hint = _close(text, codes)
    if text in crosswalk.to_state:
        hint = f"; it is the district's code for '{crosswalk.to_state[text]}'"
    raise FilterError(position, f"{field.name} is compared by the state's codes, and this is none of them{hint}")


def _check_years(condition: Condition, catalog: Catalog) -> None:
    """Raises YearNotOpen where a school year is named by = or `in` that is not open."""
    for test in leaves(condition):
        if test.operand.field.name != test.operand.kind.school_year:
            continue
        match test:
            case Compare(_, Operator.EQUAL, value):
                check_year(value, catalog)
            case OneOf(_, values):
                for value in values:
                    check_year(value, catalog)
            case _:
                pass
