import gc

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # no property is about time, and the machine may be busy

pytest_plugins = ["tests.stack_fixtures"]

IN_A_NEW_PROCESS = ("test_allocations",)
"""Before all others: what those leave behind in an interpreter changes what is counted."""
LONGEST_FIRST = (
    "test_chaos",
    "test_health",
    "test_rebalance",
    "test_demo",
    "test_districts",
    "test_scaling",
    "test_crashes",
    "test_crashes_in_bulk",
    "test_guard",
    "test_rights",
    "test_clear",
    "test_filters",
    "test_beside",
    "test_whole_objects",
    "test_as_user",
)
"""Where workers share out the files, one that is begun last is waited for by all.

What measures recovery, test_chaos, comes first, and beside it what mostly waits.
"""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate((*IN_A_NEW_PROCESS, *LONGEST_FIRST))}
    kinds = ("e2e", "integration", "unit")

    def place(item: pytest.Item) -> tuple[int, int]:
        kind = next((rank for rank, name in enumerate(kinds) if name in item.path.parts), len(kinds))
        return ranks.get(item.path.stem, len(ranks)), kind

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: the collector need not go through them again and again."""
    gc.collect()
    gc.freeze()
