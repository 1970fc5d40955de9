"""One key, and ten thousand; test_keys.py has a hundred thousand."""

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove


@pytest.mark.parametrize(("count", "chunks"), [(1, 0), (10_000, 2)])
def test_every_key_of_a_request_ends_once_whatever_its_size(running: Deployment, count: int, chunks: int) -> None:
    """Most keys of the large ones are nobody's; the first hundred differ."""
    keys = list(running.take_keys(count))
    some = keys[:100]
    persons(running, "NORTH", some)
    rename(running, "NORTH", some)
    asked = [running.submit("NORTH", "PersonIdentity", keys)]
    running.watcher.until_ended(asked, timeout_s=60)
    prove(running, asked)
    story = running.watcher.story(asked[0])
    assert story.counts() == {"APPLIED": len(some)} | ({"NOT_FOUND": count - len(some)} if count > len(some) else {})
    assert len(story.chunks) == chunks
    assert_same(running, "NORTH", some)
