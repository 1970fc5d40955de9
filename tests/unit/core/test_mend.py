import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.errors import RULES, Mender, Reason, Weight
from processor.core.ids import unread_range
from processor.core.mend import MOST_NAMED, Asked, Cause, mend
from processor.core.request import Dependencies, Mode, OnStateOnly

ASKED = Asked("0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11", "NORTH")
ORPHANS = Cause("Enrollment", Reason.PARENT_MISSING, None, "PersonIdentity", 3, ("11", "12", "13"), 2, ("7", "8"))
AWAY = Cause("Enrollment", Reason.SNAPSHOT_UNAVAILABLE, "NORTH", None, 2, ("11", "12"))


def test_missing_parents_are_asked_for_with_what_hangs_below() -> None:
    assert mend(ASKED, ORPHANS).command == (
        "resync submit --district NORTH --object PersonIdentity --dependencies all 7 8"
    )


def test_with_more_parents_than_can_be_named_the_failed_keys_are_asked_for_with_their_parents() -> None:
    """However many hang below so many parents: what parents bring along is bounded, what brings parents is not."""
    asked = replace(ASKED, mode=Mode.FORCE, dependencies=Dependencies.ALL, on_state_only=OnStateOnly.DELETE)
    many = replace(ORPHANS, keys=30, parent_keys=MOST_NAMED + 1, parents=tuple(map(str, range(MOST_NAMED))))
    assert mend(asked, many).command == (
        f"resync report {ASKED.request_id} --object Enrollment --reason PARENT_MISSING --keys-only"
        " | resync submit --district NORTH --object Enrollment --dependencies parents -"
    )


def test_what_was_away_is_asked_for_again_as_it_was() -> None:
    asked = replace(ASKED, mode=Mode.FORCE, dependencies=Dependencies.PARENTS, on_state_only=OnStateOnly.DELETE)
    assert mend(ASKED, AWAY).command == "resync submit --district NORTH --object Enrollment 11 12"
    assert mend(asked, AWAY).command == (
        "resync submit --district NORTH --object Enrollment --mode force --dependencies parents --on-state-only delete"
        " 11 12"
    )


def test_more_keys_than_can_be_named_go_from_one_command_to_the_next() -> None:
    assert mend(ASKED, replace(AWAY, keys=1_000)).command == (
        f"resync report {ASKED.request_id} --object Enrollment --reason SNAPSHOT_UNAVAILABLE --keys-only"
        " | resync submit --district NORTH --object Enrollment -"
    )


def test_a_range_that_was_not_verified_is_verified_again() -> None:
    rest = replace(AWAY, keys=1, named=(unread_range("0.7"),))
    assert mend(replace(ASKED, mode=Mode.VERIFY), rest).command == (
        "resync verify --district NORTH --object Enrollment"
    )


def test_a_key_that_cannot_be_one_has_nothing_to_be_run() -> None:
    way = mend(ASKED, Cause("Enrollment", Reason.INVALID_KEY, "the key is not a uuid", None, 1, ("x",)))
    assert way.command is None
    assert "look up" in way.advice


@pytest.mark.parametrize("reason", [reason for reason, rule in RULES.items() if rule.weight is Weight.FAILURE])
def test_every_failure_has_advice_and_those_that_can_be_mended_a_command(reason: Reason) -> None:
    way = mend(ASKED, replace(AWAY, reason=reason))
    assert way.advice
    assert (way.command is None) == (RULES[reason].mender in {Mender.PUBLISHER, Mender.NOBODY})


@given(keys=st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True))
def test_a_shell_reads_the_very_keys_or_none_are_named(keys: list[str]) -> None:
    command = mend(ASKED, replace(AWAY, keys=len(keys), named=tuple(keys))).command
    assert command is not None
    words = shlex.split(command)
    if all(key.isprintable() for key in keys):
        assert words[-len(keys) :] == keys
        assert ("--" in words[: -len(keys)]) == any(key.startswith("-") for key in keys)
    else:
        assert words[-1] == "-"


@pytest.mark.parametrize("reason", [Reason.UNREPRESENTABLE, Reason.DUPLICATE_KEY])
def test_what_either_side_may_hold_is_mended_on_the_side_that_the_detail_names(reason: Reason) -> None:
    assert RULES[reason].mender is Mender.NAMED_SIDE
    assert "on the side that the detail names" in mend(ASKED, replace(AWAY, reason=reason)).advice
