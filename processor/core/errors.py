"""Every reason that a request, a key or a record can end with: one closed list.

Documentation and metric labels are generated from this list, so a reason is added here and nowhere else.
"""

from dataclasses import dataclass
from enum import StrEnum


class Retry(StrEnum):
    """What happens by itself after a reason was given."""

    NEVER = "never"
    COMPARE_AGAIN = "compare again"
    WHEN_BACK = "when the database is back"


class Mender(StrEnum):
    """Who can remove the cause."""

    NOBODY = "nobody"
    PUBLISHER = "publisher"
    DISTRICT = "district administrator"
    STATE = "state administrator"
    NAMED_SIDE = "administrator of the side that the detail names"
    OPERATOR = "operator"


class Weight(StrEnum):
    """Whether a reason means that something did not succeed."""

    NOTE = "note"
    FAILURE = "failure"


class Reason(StrEnum):
    """The code that stands in history; its meaning is in `RULES`."""

    EXPECTED_DIFFERENCE = "EXPECTED_DIFFERENCE"
    FORCED = "FORCED"
    DEPENDENCY = "DEPENDENCY"
    ALREADY_EQUAL = "ALREADY_EQUAL"
    SEEN_EQUAL = "SEEN_EQUAL"
    DELETE_NOT_ALLOWED = "DELETE_NOT_ALLOWED"
    MAX_DELETES = "MAX_DELETES"

    PARENT_MISSING = "PARENT_MISSING"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    UNREPRESENTABLE = "UNREPRESENTABLE"
    UNMAPPED_VALUE = "UNMAPPED_VALUE"
    INVALID_KEY = "INVALID_KEY"
    SNAPSHOT_UNAVAILABLE = "SNAPSHOT_UNAVAILABLE"
    CONFLICT = "CONFLICT"
    HAS_CHILDREN = "HAS_CHILDREN"
    REJECTED_BY_STATE = "REJECTED_BY_STATE"
    NO_ANSWER = "NO_ANSWER"

    UNKNOWN_DISTRICT = "UNKNOWN_DISTRICT"
    UNKNOWN_OBJECT = "UNKNOWN_OBJECT"
    EMPTY_SELECTION = "EMPTY_SELECTION"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    TOO_MANY_KEYS = "TOO_MANY_KEYS"
    INVALID_REQUEST = "INVALID_REQUEST"
    NOT_AUTHORIZED = "NOT_AUTHORIZED"
    YEAR_NOT_OPEN = "YEAR_NOT_OPEN"
    NO_INDEX = "NO_INDEX"
    MASS_CHANGE = "MASS_CHANGE"
    NOT_RELEASED = "NOT_RELEASED"

    UNDECODABLE = "UNDECODABLE"
    UNEXPECTED_RECORD = "UNEXPECTED_RECORD"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a reason means, how much it weighs, what follows by itself, who mends it."""

    meaning: str
    weight: Weight
    retry: Retry
    mender: Mender


RULES: dict[Reason, Rule] = {
    Reason.EXPECTED_DIFFERENCE: Rule(
        "equal in every district-owned field; the named state-owned fields differ",
        Weight.NOTE,
        Retry.NEVER,
        Mender.NOBODY,
    ),
    Reason.FORCED: Rule("sent although equal, because the request said FORCE", Weight.NOTE, Retry.NEVER, Mender.NOBODY),
    Reason.DEPENDENCY: Rule(
        "not named by the request; sent ahead because a named record needs it", Weight.NOTE, Retry.NEVER, Mender.NOBODY
    ),
    Reason.ALREADY_EQUAL: Rule(
        "the state held the district's values when the correction arrived", Weight.NOTE, Retry.NEVER, Mender.NOBODY
    ),
    Reason.SEEN_EQUAL: Rule(
        "no answer came, but the state was then seen to be equal", Weight.NOTE, Retry.NEVER, Mender.NOBODY
    ),
    Reason.DELETE_NOT_ALLOWED: Rule(
        "deletion was asked for, but the catalog's limits do not allow it", Weight.NOTE, Retry.NEVER, Mender.OPERATOR
    ),
    Reason.MAX_DELETES: Rule(
        "more deletions than a request may cause; none of them was sent", Weight.NOTE, Retry.NEVER, Mender.OPERATOR
    ),
    Reason.PARENT_MISSING: Rule(
        "the named parent record is not at the state", Weight.FAILURE, Retry.COMPARE_AGAIN, Mender.DISTRICT
    ),
    Reason.DUPLICATE_KEY: Rule(
        "more than one row on a side has this key", Weight.FAILURE, Retry.NEVER, Mender.NAMED_SIDE
    ),
    Reason.UNREPRESENTABLE: Rule(
        "the named field holds a value that its declared type cannot carry",
        Weight.FAILURE,
        Retry.NEVER,
        Mender.NAMED_SIDE,
    ),
    Reason.UNMAPPED_VALUE: Rule(
        "the named field's code has no translation in its crosswalk", Weight.FAILURE, Retry.NEVER, Mender.STATE
    ),
    Reason.INVALID_KEY: Rule("the text cannot be a key of this object", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER),
    Reason.SNAPSHOT_UNAVAILABLE: Rule(
        "a database could not be read in time, or lacks what the catalog names",
        Weight.FAILURE,
        Retry.WHEN_BACK,
        Mender.OPERATOR,
    ),
    Reason.CONFLICT: Rule(
        "the state's row kept changing between comparing and applying",
        Weight.FAILURE,
        Retry.COMPARE_AGAIN,
        Mender.STATE,
    ),
    Reason.HAS_CHILDREN: Rule(
        "the state's row cannot be deleted while others refer to it", Weight.FAILURE, Retry.NEVER, Mender.STATE
    ),
    Reason.REJECTED_BY_STATE: Rule(
        "the state's database refused the change; the constraint, or the field and why, is named",
        Weight.FAILURE,
        Retry.NEVER,
        Mender.STATE,
    ),
    Reason.NO_ANSWER: Rule(
        "the applier never answered and the state still differs", Weight.FAILURE, Retry.COMPARE_AGAIN, Mender.OPERATOR
    ),
    Reason.UNKNOWN_DISTRICT: Rule("the district is not in the catalog", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER),
    Reason.UNKNOWN_OBJECT: Rule("the object is not in the catalog", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER),
    Reason.EMPTY_SELECTION: Rule("the request names no key", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER),
    Reason.NOT_SUPPORTED: Rule(
        "the request asks for something that this version does not do", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER
    ),
    Reason.TOO_MANY_KEYS: Rule(
        "more keys than a request with deletion or descendants may have, or more descendants than it takes along",
        Weight.FAILURE,
        Retry.NEVER,
        Mender.PUBLISHER,
    ),
    Reason.INVALID_REQUEST: Rule("a field of the request is not valid", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER),
    Reason.NOT_AUTHORIZED: Rule(
        "the policy does not give this to the topic's writers, or to the person",
        Weight.FAILURE,
        Retry.NEVER,
        Mender.OPERATOR,
    ),
    Reason.YEAR_NOT_OPEN: Rule(
        "the school year is not one of those that the catalog has open", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER
    ),
    Reason.NO_INDEX: Rule(
        "a table lacks the index by which its keys come in order; the detail holds the statement that makes it",
        Weight.FAILURE,
        Retry.NEVER,
        Mender.OPERATOR,
    ),
    Reason.MASS_CHANGE: Rule(
        "held: it would delete, or change more than the catalog lets pass, until somebody else releases it",
        Weight.NOTE,
        Retry.NEVER,
        Mender.STATE,
    ),
    Reason.NOT_RELEASED: Rule(
        "held, and then rejected by whoever may release; nothing of it was sent",
        Weight.FAILURE,
        Retry.NEVER,
        Mender.PUBLISHER,
    ),
    Reason.UNDECODABLE: Rule("the bytes are not a readable record", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER),
    Reason.UNEXPECTED_RECORD: Rule(
        "a readable record, but not of a kind that belongs on this topic", Weight.FAILURE, Retry.NEVER, Mender.PUBLISHER
    ),
}


class CoreError(Exception):
    """A fault that the core can name. `detail` holds field names and ids, never a field's value."""

    reason: Reason

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidKey(CoreError):
    """A text that cannot be a key of its object."""

    reason = Reason.INVALID_KEY


class FieldError(CoreError):
    """A fault of one field of one record."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class Unrepresentable(FieldError):
    """A stored value that the field's declared type cannot carry."""

    reason = Reason.UNREPRESENTABLE


class UnmappedValue(FieldError):
    """A district code that the field's crosswalk does not translate."""

    reason = Reason.UNMAPPED_VALUE
