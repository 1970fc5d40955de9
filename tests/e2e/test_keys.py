"""Keys as people write them, one, many and very many of them."""

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from time import monotonic

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove, settle
from tests.e2e.watcher import said

HUGE = str(2**63)
NOT_KEYS = [
    *("+7", "\uff17", "\u0663", "7.0", "7e3", "0x1F", "1 2", "1,2", "1/2", "a\x00b", "", "  ", "-", "7\n8"),
    *(HUGE, "9" * 256),
]
"""Fullwidth and Arabic digits among them."""
KEYS = {"-5": "-5", " 42 ": "42", "9223372036854775807": "9223372036854775807", "-0": "0"}


def test_keys_of_every_spelling(running: Deployment) -> None:
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    rename(running, "NORTH", [key])
    written = [f"00{key}", str(key), f" {key}", *KEYS, *NOT_KEYS, *NOT_KEYS]
    asked = running.submit("NORTH", "PersonIdentity", written)
    running.watcher.until_ended([asked])
    prove(running, [asked])

    story = running.watcher.story(asked)
    assert said(story.last(key)) == "APPLIED"
    assert story.last(key).asked_as == f"00{key}"
    assert {said(story.last(canonical)) for canonical in KEYS.values()} == {"NOT_FOUND"}
    for text in NOT_KEYS:
        assert said(story.last("!" + sha256(text.encode()).hexdigest())) == "FAILED INVALID_KEY"
    assert len(story.outcomes) == 1 + len(KEYS) + len(NOT_KEYS)
    assert_same(running, "NORTH", [key])


@pytest.mark.timeout(300)
def test_a_small_request_does_not_wait_for_a_hundred_thousand_keys(
    deploy: Callable[..., Deployment], record_property: Callable[[str, object], None]
) -> None:
    """One record just under the limit, ten thousand keys in another, then one key alone."""
    deployment = deploy()
    deployment.start_all()
    found = {100_000: 300, 10_000: 200, 1: 1}
    asked, started = {}, monotonic()
    for count, drifted in found.items():
        keys = range(count * 10, count * 10 + count)
        persons(deployment, "NORTH", keys[:drifted])
        rename(deployment, "NORTH", keys[:drifted])
        asked[count] = deployment.submit("NORTH", "PersonIdentity", keys)
    for count in sorted(asked):
        deployment.watcher.until_ended([asked[count]], 120)
        record_property(f"{count}_keys_s", round(monotonic() - started, 1))
        if count == 1:
            assert not deployment.watcher.story(asked[100_000]).has_ended(), "the small one came last"
    settle(deployment)
    for count, drifted in found.items():
        assert deployment.watcher.story(asked[count]).counts() == expected(count, drifted)
        assert_same(deployment, "NORTH", range(count * 10, count * 10 + drifted))
    prove(deployment, asked.values())


def expected(count: int, drifted: int) -> Counter[str]:
    return +Counter({"APPLIED": drifted, "NOT_FOUND": count - drifted})
