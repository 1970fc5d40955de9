"""A history database of a test's own, filled as the store fills it, and the console script that reads it."""

from collections.abc import Iterator

import pytest

from tests.integration.history.told import Told
from tests.integration.store.world import World


@pytest.fixture
def told(history_database: str) -> Iterator[Told]:
    made = Told(history_database)
    yield made
    made.close()


@pytest.fixture
def world(stack_settings: dict[str, str], history_database: str) -> Iterator[World]:
    made = World(stack_settings["RESYNC_BOOTSTRAP_SERVERS"], history_database)
    yield made
    made.close()
