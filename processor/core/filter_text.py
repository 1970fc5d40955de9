"""The text of a filter, read into a tree. What names and values mean is not known here: see `selection`.

filter = both {"or" both}        both = one {"and" one}        one = "not" one | "(" filter ")" | test
test   = NAME ("=" | "!=" | "<" | "<=" | ">" | ">=") value
       | NAME ["not"] "in" "(" value {"," value} ")"
       | NAME "is" ["not"] "null"
       | NAME "starts" "with" TEXT
       | "modified" "since" value
value  = TEXT | NUMBER | TIME | "true" | "false"
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from processor.core.condition import AllOf, AnyOf, Condition, Not
from processor.core.errors import CoreError, Reason

MAX_EXPRESSION = 2_000
"""Characters; history holds a request's filter in one record."""
MAX_DEPTH = 50
"""Of parentheses and of `not`, one within the other."""
MAX_TERMS = 500
"""Values of a whole filter."""
_WORDS = ("and", "or", "not", "in", "is", "null", "starts", "with", "modified", "since", "true", "false", "like")


class FilterError(CoreError):
    """A filter that cannot be used. `position` counts characters from 1."""

    reason = Reason.INVALID_REQUEST

    def __init__(self, position: int, problem: str) -> None:
        super().__init__(f"filter, position {position}: {problem}")
        self.position = position
        self.problem = problem


class Form(StrEnum):
    """What a piece of the text is, in words for messages."""

    NAME = "a name"
    TEXT = "a text"
    NUMBER = "a number"
    TIME = "a date or time"
    SIGN = "a sign"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    form: Form
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        return self.form is Form.NAME and self.text.lower() in words

    def is_sign(self, *signs: str) -> bool:
        return self.form is Form.SIGN and self.text in signs

    def __str__(self) -> str:
        """For messages. What may be a value, also one without its quotes, is not shown."""
        return self.text if self.form is Form.SIGN or self.is_word(*_WORDS) else str(self.form)


class Relation(StrEnum):
    """How a test holds its name against its values; comparisons are named by their sign."""

    IN = "in"
    IS_NULL = "is null"
    STARTS_WITH = "starts with"
    MODIFIED_SINCE = "modified since"
    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TOKENS = re.compile(
    rf"""(?P<NAME>{_NAME}(?:\.{_NAME})?)
    |(?P<TEXT>'(?:[^']|'')*+'(?!'))
    |(?P<TIME>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?)
    |(?P<NUMBER>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<SIGN><>|!=|<=|>=|==|[=<>(),])""",
    re.VERBOSE,
)
Meaning: TypeAlias = Callable[[Token, Relation, list[Token]], Condition]
"""Gives a test its meaning: a name, how, and the values."""
_BLANKS = re.compile(r"[ \t\r\n]*")
_QUOTED = "texts stand in single quotes, and a quote within is doubled, as in 'O''Neil'"
_VALUE = "a value (a text in single quotes, a number, a date, true or false)"
_DATE = "a date or time, such as 2026-08-01 or 2026-08-01T13:00,"
_HINTS = {
    "'": f"this text has no closing quote; {_QUOTED}",
    '"': "texts stand in single quotes, as in 'Main'; a quote within is doubled",
    ";": "a filter is one condition; there is nothing to separate",
    "*": "there are no joker signs; see 'starts with'",
    "%": "there are no joker signs; see 'starts with'",
}
_OTHERWISE = {"<>": "!=", "==": "="}


def parse(text: str, test: Meaning) -> Condition:
    """Raises FilterError, as `test` may."""
    return _Parser(_tokens(text), test).whole()


def _tokens(text: str) -> list[Token]:
    if len(text) > MAX_EXPRESSION:
        raise FilterError(MAX_EXPRESSION + 1, f"it has {len(text)} characters; at most {MAX_EXPRESSION} are read")
    tokens = []
    at = _skip(text, 0)
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None or match.lastgroup is None:
            raise FilterError(at + 1, _HINTS.get(text[at], f"{text[at]!a} means nothing here"))
        tokens.append(Token(Form[match.lastgroup], match.group(), at + 1))
        at = _skip(text, match.end())
    return [*tokens, Token(Form.END, "", len(text) + 1)]


def _skip(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at


class _Parser:
    """By recursive descent, a method for a rule of the grammar."""

    def __init__(self, tokens: list[Token], test: Meaning) -> None:
        self._tokens = tokens
        self._test = test
        self._at = 0
        self._values = 0

    def whole(self) -> Condition:
        if self._has_ended():
            raise FilterError(1, "it is empty; it would have to name a field, such as grade = '10'")
        found = self._filter(0)
        if not self._has_ended():
            raise self._expected("'and', 'or' or the end")
        return found

    def _has_ended(self) -> bool:
        return self._next.form is Form.END

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _taken_word(self, *words: str) -> bool:
        """Takes the words if they are what comes."""
        coming = self._tokens[self._at : self._at + len(words)]
        taken = len(coming) == len(words) and all(t.is_word(w) for t, w in zip(coming, words, strict=True))
        self._at += len(words) if taken else 0
        return taken

    def _taken_sign(self, sign: str) -> bool:
        taken = self._next.is_sign(sign)
        self._at += int(taken)
        return taken

    def _expected(self, what: str, hint: str = "") -> FilterError:
        return FilterError(self._next.position, f"{what} should stand here, not {self._next}{hint}")

    def _filter(self, depth: int) -> Condition:
        terms = [self._both(depth)]
        while self._taken_word("or"):
            terms.append(self._both(depth))
        return terms[0] if len(terms) == 1 else AnyOf(tuple(terms))

    def _both(self, depth: int) -> Condition:
        terms = [self._one(depth)]
        while self._taken_word("and"):
            terms.append(self._one(depth))
        return terms[0] if len(terms) == 1 else AllOf(tuple(terms))

    def _one(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise FilterError(self._next.position, f"more than {MAX_DEPTH} parentheses or 'not' within each other")
        if self._taken_word("not"):
            return Not(self._one(depth + 1))
        if not self._taken_sign("("):
            return self._one_test()
        found = self._filter(depth + 1)
        if not self._taken_sign(")"):
            raise self._expected("'and', 'or' or )")
        return found

    def _one_test(self) -> Condition:
        name = self._next
        if self._taken_word("modified", "since"):
            return self._test(name, Relation.MODIFIED_SINCE, [self._value(_DATE)])
        if name.form is not Form.NAME or name.is_word("and", "or", "not", "in", "is"):
            raise self._expected("the name of a field")
        self._take()
        if self._taken_word("not", "in"):
            return Not(self._test(name, Relation.IN, self._list()))
        if self._taken_word("is", "not", "null"):
            return Not(self._test(name, Relation.IS_NULL, []))
        return self._relation(name)

    def _relation(self, name: Token) -> Condition:
        """What follows the name."""
        if self._taken_word("in"):
            return self._test(name, Relation.IN, self._list())
        if self._taken_word("is", "null"):
            return self._test(name, Relation.IS_NULL, [])
        if self._taken_word("starts", "with"):
            return self._test(name, Relation.STARTS_WITH, [self._value()])
        if self._next.is_sign(*COMPARISONS):
            return self._test(name, Relation(self._take().text), [self._value()])
        if self._next.text in _OTHERWISE:
            raise FilterError(self._next.position, f"write {_OTHERWISE[self._next.text]} instead of {self._next.text}")
        raise self._expected("one of = != < <= > >=, 'in', 'is null', 'starts with'")

    def _list(self) -> list[Token]:
        if not self._taken_sign("("):
            raise self._expected("( before the values")
        values = [self._value()]
        while self._taken_sign(","):
            values.append(self._value())
        if not self._taken_sign(")"):
            raise self._expected("a comma or ) after a value")
        return values

    def _value(self, wanted: str = _VALUE) -> Token:
        if self._next.is_word("null"):
            raise FilterError(self._next.position, "nothing is equal to null; write 'is null' or 'is not null'")
        if self._next.form in (Form.SIGN, Form.END):
            raise self._expected(wanted)
        if self._next.form is Form.NAME and not self._next.is_word("true", "false"):
            raise self._expected(wanted, f"; {_QUOTED}" if wanted is _VALUE else "")
        self._values += 1
        if self._values > MAX_TERMS:
            raise FilterError(self._next.position, f"more than {MAX_TERMS} values")
        return self._take()
