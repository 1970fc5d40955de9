import pytest

pytest_plugins = ["tests.stack_fixtures"]

LONGEST_FIRST = (
    "test_chaos",
    "test_demo",
    "test_health",
    "test_clear",
    "test_clear_rebuild",
    "test_rebalance",
    "test_crashes",
    "test_restarts",
)
"""Where workers share out the files, one that is begun last is waited for by all."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    kinds = ("e2e", "integration", "unit")

    def place(item: pytest.Item) -> tuple[int, int]:
        kind = next((rank for rank, name in enumerate(kinds) if name in item.path.parts), len(kinds))
        return ranks.get(item.path.stem, len(ranks)), kind

    items.sort(key=place)
