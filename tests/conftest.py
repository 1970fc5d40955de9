import pytest

pytest_plugins = ["tests.stack_fixtures"]

LONGEST_FIRST = (
    "test_chaos",
    "test_demo",
    "test_health",
    "test_clear",
    "test_rebalance",
    "test_crashes",
    "test_restarts",
)
"""Where workers share out the files, one that is begun last is waited for by all."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    kinds = {"e2e": 0, "integration": 1}

    def place(item: pytest.Item) -> tuple[int, int]:
        return ranks.get(item.path.stem, len(ranks)), kinds.get(item.path.parts[-2], 2)

    items.sort(key=place)
