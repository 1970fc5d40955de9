"""What a filter's text is read as, and what is said of one that cannot be read."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.catalog import FieldSpec, Kind, Owner
from processor.core.condition import AllOf, AnyOf, Compare, Condition, Not, Operand, Operator
from processor.core.errors import Reason
from processor.core.filter_text import MAX_DEPTH, MAX_EXPRESSION, MAX_TERMS, FilterError, Relation, Token, parse


def read(text: str) -> str:
    """The tree in words: tests as name, relation and values, all that is combined in brackets."""
    return shown(parse(text, noted))


def noted(name: Token, relation: Relation, values: Sequence[Token]) -> Condition:
    words = " ".join([name.text, relation, *(value.text for value in values)])
    spec = FieldSpec(words, Kind.STRING, Owner.NONE, frozenset(), None, None)
    return Compare(Operand((), spec), Operator.EQUAL, "")


def shown(condition: Condition) -> str:
    match condition:
        case Compare(operand):
            return operand.field.name
        case Not(term):
            return f"[not {shown(term)}]"
        case AllOf(terms):
            return f"[{' and '.join(map(shown, terms))}]"
        case AnyOf(terms):
            return f"[{' or '.join(map(shown, terms))}]"
    raise AssertionError(condition)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a = 1", "a = 1"),
        (" \t\r\na\n=\n1 ", "a = 1"),
        ("a=-1.5e3", "a = -1.5e3"),
        ("a = 'it''s; --'", "a = 'it''s; --'"),
        ("a.b >= 2026-08-01T13:00:00.5-05:00", "a.b >= 2026-08-01T13:00:00.5-05:00"),
        ("A IN ( 'x' ,'y')", "A in 'x' 'y'"),
        ("a not in (1)", "[not a in 1]"),
        ("a is NULL", "a is null"),
        ("a is not null", "[not a is null]"),
        ("a starts with 'x'", "a starts with 'x'"),
        ("a = true", "a = true"),
        ("modified since 2026-08-01", "modified modified since 2026-08-01"),
        ("modified = 1", "modified = 1"),
        ("a = 1 or b = 2 and c = 3 or d = 4", "[a = 1 or [b = 2 and c = 3] or d = 4]"),
        ("(a = 1 or b = 2) and not c = 3", "[[a = 1 or b = 2] and [not c = 3]]"),
        ("not not (a = 1)", "[not [not a = 1]]"),
        ("not a = 1 and b = 2", "[[not a = 1] and b = 2]"),
        ("x.in = 1", "x.in = 1"),
    ],
)
def test_text_becomes_a_tree(text: str, tree: str) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 1, "it is empty"),
        (" \n ", 1, "it is empty"),
        ("1=1", 1, "the name of a field should stand here, not a number"),
        ("'a'='a'", 1, "the name of a field should stand here, not a text"),
        ("a", 2, "one of = != < <= > >=, 'in', 'is null', 'starts with' should stand here, not the end"),
        ("a = ", 5, "a value (a text in single quotes, a number, a date, true or false) should stand here"),
        ("a = b", 5, "should stand here, not a name"),
        ("a = 1 b = 2", 7, "'and', 'or' or the end should stand here, not a name"),
        ("a = 1; drop table x", 6, "there is nothing to separate"),
        ("a = 1 --", 7, "'-' means nothing here"),
        ("a = 1 /* x */", 7, "'/' means nothing here"),
        ('a = "x"', 5, "single quotes"),
        ("a = 'x", 5, "no closing quote"),
        ("a = 'x''", 5, "no closing quote"),
        ("a = 'O'Neil'", 12, "no closing quote; texts stand in single quotes, and a quote within is doubled"),
        ("a = O'Neil'", 5, "not a name; texts stand in single quotes, and a quote within is doubled, as in 'O''Neil'"),
        ("a in (O'Neil')", 7, "not a name; texts stand in single quotes"),
        ("modified since yesterday", 16, "a date or time, such as 2026-08-01 or 2026-08-01T13:00, should stand here"),
        ("a <> 1", 3, "write != instead of <>"),
        ("a == 1", 3, "write = instead of =="),
        ("a = null", 5, "write 'is null'"),
        ("a != NULL", 6, "write 'is null'"),
        ("a in ()", 7, "a value"),
        ("a in (1", 8, "a comma or ) after a value should stand here, not the end"),
        ("a in 1", 6, "( before the values"),
        ("(a = 1", 7, "'and', 'or' or ) should stand here, not the end"),
        ("a = 1)", 6, "should stand here, not )"),
        ("a like 'x%'", 3, "'starts with' should stand here, not like"),
        ("a = 1 union select 1", 7, "not a name"),
        ("pg_sleep(10)", 9, "should stand here, not ("),
        ("a = $1", 5, "'$' means nothing here"),
        ("a = %s", 5, "'starts with'"),
        ("ａ = 1", 1, "'\\uff41' means nothing here"),
        ("a\u00a0= 1", 2, "'\\xa0' means nothing here"),
        ("a = ’x’", 5, "'\\u2019' means nothing here"),
        ("a = 1 \x00", 7, "'\\x00' means nothing here"),
        ("a.b.c = 1", 4, "'.' means nothing here"),
        ("and = 1", 1, "the name of a field"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, position: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        read(text)
    assert caught.value.detail.startswith(f"filter, position {position}: ")
    assert says in caught.value.detail
    assert caught.value.reason is Reason.INVALID_REQUEST


def test_values_are_not_repeated() -> None:
    for text in ("a = 1 'secret'", "a = secret", "a = 'O' secret'", "a secret", "a in (secret)", "a starts secret"):
        with pytest.raises(FilterError) as caught:
            read(text)
        assert "secret" not in caught.value.detail


def test_length_is_limited_before_anything_is_read() -> None:
    most = f"a = '{'x' * (MAX_EXPRESSION - 6)}'"
    assert len(most) == MAX_EXPRESSION
    assert read(most) == most
    for text in (f"{most} ", "(" * 1_000_000, "'" * 1_000_000):
        with pytest.raises(FilterError, match=f"it has {len(text)} characters; at most {MAX_EXPRESSION} are read"):
            read(text)


@pytest.mark.parametrize(("before", "after"), [("(", ")"), ("not ", "")])
def test_depth_is_limited(before: str, after: str) -> None:
    assert "a = 1" in read(before * MAX_DEPTH + "a = 1" + after * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 400):
        with pytest.raises(FilterError, match=f"more than {MAX_DEPTH} parentheses or 'not'"):
            read(before * depth + "a = 1" + after * depth)


def test_values_are_limited() -> None:
    assert read(f"a in ({','.join('1' * MAX_TERMS)})")
    with pytest.raises(FilterError, match=f"more than {MAX_TERMS} values"):
        read(f"a in ({','.join('1' * (MAX_TERMS + 1))})")


@given(st.text(max_size=60) | st.text(st.sampled_from("ab =<>!'\".,()-;0123T:and or not in is null"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert 0 <= _fault_at(text) <= len(text) + 1


def _fault_at(text: str) -> int:
    try:
        read(text)
    except FilterError as why:
        return why.position
    return 0
