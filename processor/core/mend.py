"""What to do about failures: a command where one mends them, and what has to be seen to before."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from processor.core.errors import RULES, Mender, Reason
from processor.core.ids import is_unread_range
from processor.core.request import Dependencies, Mode, OnStateOnly

MOST_NAMED = 20
"""Keys written out in a command; more are passed from one command to the next."""

_BEFORE: dict[Reason, str] = {
    Reason.PARENT_MISSING: "the parents are asked for, and all that hangs below them goes along",
    Reason.DUPLICATE_KEY: "remove the rows that are too many on the side that the detail names, then ask again",
    Reason.UNREPRESENTABLE: "correct the named field on the side that the detail names, then ask again",
    Reason.UNMAPPED_VALUE: "add the code to the named crosswalk of the catalog, or correct it, then ask again",
    Reason.INVALID_KEY: "look up what was meant: the text, as it was asked for, cannot be a key of this object",
    Reason.SNAPSHOT_UNAVAILABLE: "see that the database can be reached and has what the catalog names, then ask again",
    Reason.CONFLICT: "find out what keeps changing, locking or slowing these rows at the state, then ask again",
    Reason.HAS_CHILDREN: "have the rows that refer to it deleted first, then ask again",
    Reason.REJECTED_BY_STATE: "correct the record, or the state, by what the detail says, then ask again",
    Reason.TOO_MANY_KEYS: "name fewer keys in one request, or ask for the children themselves",
    Reason.NO_INDEX: "run the statement of the detail on that database, then verify again",
    Reason.NO_ANSWER: "see that the state's applier runs and answers, then ask again",
}
"""Reasons with nothing here are told by their meaning and mender."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asked for, as far as asking again needs it."""

    request_id: str
    district_id: str
    mode: Mode = Mode.SYNC
    dependencies: Dependencies = Dependencies.NONE
    on_state_only: OnStateOnly = OnStateOnly.REPORT


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures of a request that have one cause. `named` and `parents` hold the first keys, in order, each once."""

    object: str
    reason: Reason
    detail: str | None
    parent_object: str | None
    keys: int
    named: tuple[str, ...]
    parent_keys: int = 0
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mend:
    """`command` is None where nothing can be run: only `advice` helps then."""

    advice: str
    command: str | None


def mend(asked: Asked, cause: Cause) -> Mend:
    rule = RULES[cause.reason]
    advice = _BEFORE.get(cause.reason, f"{rule.meaning}; this is for the {rule.mender} to see to")
    if cause.parent_object is not None and cause.reason is Reason.PARENT_MISSING:
        if _can_be_named(cause.parents, cause.parent_keys):
            return Mend(advice, _ask_for_parents(asked, cause, cause.parent_object))
        again = Asked(asked.request_id, asked.district_id, dependencies=Dependencies.PARENTS)
        return Mend("these keys are asked for again, and their parents go ahead of them", _ask_again(again, cause))
    if rule.mender in {Mender.PUBLISHER, Mender.NOBODY}:
        return Mend(advice, None)
    return Mend(advice, _ask_again(asked, cause))


def _ask_for_parents(asked: Asked, cause: Cause, parent: str) -> str:
    submit = ["resync", "submit", "--district", asked.district_id, "--object", parent, "--dependencies", "all"]
    return _command([*submit, *_keys(cause.parents)])


def _ask_again(asked: Asked, cause: Cause) -> str:
    if any(map(is_unread_range, cause.named)):
        return _command(["resync", "verify", "--district", asked.district_id, "--object", cause.object])
    submit = ["resync", "submit", "--district", asked.district_id, "--object", cause.object]
    if asked.mode is not Mode.SYNC:
        submit += ["--mode", asked.mode.lower()]
    if asked.dependencies is not Dependencies.NONE:
        submit += ["--dependencies", asked.dependencies.lower()]
    if asked.on_state_only is not OnStateOnly.REPORT:
        submit += ["--on-state-only", asked.on_state_only.lower()]
    if _can_be_named(cause.named, cause.keys):
        return _command([*submit, *_keys(cause.named)])
    report = ["resync", "report", asked.request_id, "--object", cause.object, "--reason", cause.reason, "--keys-only"]
    return f"{_command(report)} | {_command([*submit, '-'])}"


def _can_be_named(keys: Sequence[str], total: int) -> bool:
    """A terminal shows what is not printable in a form that cannot be copied."""
    return len(keys) == total <= MOST_NAMED and all(key.isprintable() for key in keys)


def _keys(keys: Sequence[str]) -> list[str]:
    """Keys that begin with a minus are no options."""
    return ["--", *keys] if any(key.startswith("-") for key in keys) else list(keys)


def _command(words: Sequence[str]) -> str:
    return " ".join(map(shlex.quote, words))
