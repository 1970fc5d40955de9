"""From one key to a hundred thousand."""

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("count", "chunks"), [(1, 0), (10_000, 2), (100_000, 20)])
def test_every_key_of_a_request_ends_once_whatever_its_size(running: Deployment, count: int, chunks: int) -> None:
    """Most keys of the large ones are nobody's; the first hundred differ."""
    keys = list(running.take_keys(count))
    some = keys[:100]
    persons(running, "NORTH", some)
    rename(running, "NORTH", some)
    asked = [running.submit("NORTH", "PersonIdentity", keys)]
    running.watcher.until_ended(asked, timeout_s=240)
    prove(running, asked)
    story = running.watcher.story(asked[0])
    assert story.counts() == {"APPLIED": len(some)} | ({"NOT_FOUND": count - len(some)} if count > len(some) else {})
    assert len(story.chunks) == chunks
    assert_same(running, "NORTH", some)


@pytest.mark.timeout(300)
def test_a_single_key_does_not_wait_for_a_large_request_of_its_district(running: Deployment) -> None:
    large = running.submit("NORTH", "PersonIdentity", running.take_keys(50_000))
    running.watcher.until(lambda: running.watcher.story(large).chunks, "the large request's parts")
    (key,) = running.take_keys(1)
    small = running.submit("NORTH", "PersonIdentity", [key])
    running.watcher.until_ended([small])
    assert not running.watcher.story(large).has_ended()
    running.watcher.until_ended([large], timeout_s=240)
    prove(running, [large, small])
