"""What was broken on purpose and what must come of it: the list that the proof checks history against."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4


class Kind(StrEnum):
    """One kind of planted record; the value says it to people."""

    NOT_FOUND = "no side has the key"
    EQUAL = "equal on both sides"
    EXPECTED = "only state-owned fields differ"
    EQUAL_BY_RULE = "equal by a compare rule: blanks, case, NFC, null and empty, scale"
    FIELD_DIFFERS = "one field edited at the state: each district-owned field once"
    FIELDS_DIFFER = "changed at the district, never arrived at the state"
    TEXT = "quotes, emoji, backslashes, markup, other scripts"
    CLOCKS = "local hours that occur twice or never"
    NULLS = "null against a value, and against empty text where that counts"
    REFERENCE = "refers to another person, or to another district's person of the same key"
    SPELLING = "007, 7 and blanks: one key however it is written"
    MISSING = "missing at the state"
    WITH_PARENT = "person and enrollment missing, both asked for at once"
    PARENT_MISSING = "parent missing at the state"
    PARENT_SENT = "parent missing at the state, dependencies asked for"
    GRANDPARENT_SENT = "two generations missing at the state, dependencies asked for"
    CHILDREN_SENT = "what hangs below is missing at the state, dependencies asked for"
    PARENT_NOWHERE = "parent missing on both sides"
    GRANDPARENT_NOWHERE = "parent missing at the state, its own parent missing on both sides"
    STATE_ONLY = "only at the state"
    DELETED = "only at the state, deletion asked for"
    DELETED_WITH_CHILDREN = "only at the state with what hangs below, deletion of all asked for"
    TOO_MANY_DELETES = "more deletions than a request may cause"
    HAS_CHILDREN = "only at the state, deletion asked for, others refer to it"
    DELETE_NOT_ALLOWED = "only at the state, deletion asked for where the catalog allows none"
    DUPLICATE_AT_DISTRICT = "two rows at the district"
    DUPLICATE_AT_STATE = "two rows at the state"
    UNREPRESENTABLE = "infinity, BC, NaN, too wide, not a flag, a time in a date"
    UNMAPPED = "a code that no crosswalk translates"
    INVALID_KEY = "text that cannot be a key"
    FORCED = "equal, but FORCE"
    VERIFY_IN_SYNC = "verified: equal"
    VERIFY_DIFFERS = "verified: differs"
    VERIFY_MISSING_AT_STATE = "verified: missing at the state"
    VERIFY_MISSING_AT_DISTRICT = "verified: missing at the district"
    VERIFY_DUPLICATE = "verified: two rows"
    VERIFY_NOT_FOUND = "verified: no side has the key"
    CHECK = "refused by a check constraint of the state"
    UNIQUE = "refused by a unique constraint of the state"
    FOREIGN_KEY = "refused by a foreign key checked only at commit"
    TOO_LONG = "refused because the state's column is too short"
    CONFLICT_ONCE = "edited at the state between comparing and applying"
    CONFLICT_ALWAYS = "edited at the state each time between comparing and applying"
    ALREADY_EQUAL = "mended by hand at the state between comparing and applying"
    SEEN_EQUAL = "applied at the state, but never answered"
    NO_ANSWER = "never applied at the state, and never answered"
    LATE = "applied and answered after the deadline was over"
    REPEATED = "request published twice, once into a wrong partition"
    DATABASE_AWAY = "the district's database stopped, and came back"
    OTHERS_MEANWHILE = "another district while that database was stopped"
    DATABASE_GONE = "the district's database stays away"
    CANCELLED = "cancelled while the district's database was stopped"
    RELEASED = "held because it changes much, released by a second person"
    NOT_RELEASED = "held because it changes much, rejected by a second person"
    AUTHORIZED = "by a topic of one district: what its writers may ask for"
    NOT_AUTHORIZED = "by a topic of one district: what they may not ask for"
    REJECTED = "request that cannot be carried out"
    NOT_ASKED = "differs, but nobody asked"

    @property
    def number(self) -> int:
        return list(Kind).index(self) + 1


BEGIN_A_SECTION = frozenset({
    Kind.MISSING,
    Kind.STATE_ONLY,
    Kind.DUPLICATE_AT_DISTRICT,
    Kind.FORCED,
    Kind.CHECK,
    Kind.CONFLICT_ONCE,
    Kind.REPEATED,
    Kind.RELEASED,
    Kind.NOT_ASKED,
})  # fmt: skip
"""Kinds under a line of the table: what follows is about something else than what comes before."""


class Wave(StrEnum):
    """When a request is submitted."""

    MAIN = "main"
    IN_ORDER = "in order"
    CONFLICT = "conflict"
    AWAY = "away"
    MEANWHILE = "meanwhile"
    PUBLISHED = "published"
    PUBLISHED_TWICE = "published twice"
    STRICT = "strict roles"
    RELEASED = "strict roles, released"
    NOT_RELEASED = "strict roles, rejected"
    CANCELLED = "away, cancelled"


STRICT = (Wave.STRICT, Wave.RELEASED, Wave.NOT_RELEASED)
"""Asked for first, while roles run under strict settings."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The request that names a key, but for its district, object and keys."""

    mode: str = "SYNC"
    dependencies: str = "NONE"
    on_state_only: str = "REPORT"
    wave: Wave = Wave.MAIN
    topic: str = "resync.requests"
    school_year: str | None = None
    group: str = ""
    """Keys with another group go into another request."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The outcome that a planted key must end with. None and the empty text leave a part open."""

    kind: str
    object: str
    key: str
    status: str
    reason: str | None = None
    names: str = ""
    """Text that `detail` must hold: the name of a field or of a constraint."""
    changed: list[str] | None = None
    parent: str | None = None
    """Object and key of the parent, with a blank between."""
    attempts: int | None = None


@dataclass(slots=True)
class Request:
    """One request to be made. `state` and `reason` are those of its end."""

    request_id: str
    district_id: str
    object: str
    ask: Ask
    keys: list[str] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    state: str = "COMPLETE"
    reason: str | None = None
    kind: str = Kind.REJECTED
    """What it is in the table if it is REJECTED, for then no key of it has an outcome."""


@dataclass(slots=True)
class Edited:
    """A state row that someone else edits while requests run, and what they leave in its columns."""

    object: str
    district_id: str
    key: str
    columns: dict[str, str]


class Ledger:
    """Collects planted keys into requests."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, Ask], Request] = {}
        self.edited: list[Edited] = []
        self.not_asked: list[tuple[str, str, str]] = []
        self.secrets: list[str] = []
        """Values of fields that must not appear anywhere but in corrections."""
        self.withheld: list[str] = []
        """Values of records that must not be sent: not in corrections either."""

    @property
    def requests(self) -> list[Request]:
        return list(self._requests.values())

    def request(self, district_id: str, object_name: str, ask: Ask) -> Request:
        place = (district_id, object_name, ask)
        if place not in self._requests:
            self._requests[place] = Request(str(uuid4()), district_id, object_name, ask)
        return self._requests[place]

    def plant(self, district_id: str, expected: Expected, ask: Ask = Ask(), spellings: Iterable[str] = ()) -> None:
        """Asks for the key, in the given spellings or as it is."""
        request = self.request(district_id, expected.object, ask)
        request.keys += list(spellings) or [expected.key]
        self._expect(request, expected)

    def plant_dependency(self, district_id: str, asked_object: str, expected: Expected, ask: Ask) -> None:
        """Expects an outcome of a key that the request for `asked_object` does not name."""
        self._expect(self.request(district_id, asked_object, ask), expected)

    def _expect(self, request: Request, expected: Expected) -> None:
        request.expected.append(expected)
        if expected.status == "FAILED":
            request.state = "COMPLETE_WITH_FAILURES"
        elif expected.status == "CANCELLED":
            request.state = "CANCELLED"

    def write(self, file: Path) -> None:
        document = {
            "requests": [asdict(r) for r in self.requests],
            "edited": [asdict(e) for e in self.edited],
            "not_asked": self.not_asked,
            "secrets": self.secrets,
            "withheld": self.withheld,
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=1, ensure_ascii=True))


def read_planted(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def invalid_key_id(text: str) -> str:
    """The key under which history keeps a text that cannot be one."""
    return "!" + sha256(text.encode()).hexdigest()
