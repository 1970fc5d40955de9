from collections.abc import Iterator

import pytest

from tests.integration.store.world import World


@pytest.fixture
def world(stack_settings: dict[str, str], history_database: str, request: pytest.FixtureRequest) -> Iterator[World]:
    """Parametrize indirectly with topic settings to have them differ from a plain compacted topic."""
    made = World(stack_settings["RESYNC_BOOTSTRAP_SERVERS"], history_database, getattr(request, "param", {}))
    yield made
    made.close()
