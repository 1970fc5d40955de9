"""When the applier forgets old answers."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import psycopg
import pytest

from processor.adapters.postgres.state_writer import Pruning

NOW = datetime(2026, 9, 1, tzinfo=UTC)


class Slow:
    """A database in which a delete takes too long."""

    def execute(self, *_: Any) -> None:
        raise psycopg.errors.QueryCanceled


def test_after_a_delete_that_failed_the_applier_goes_on_for_a_minute() -> None:
    """It is asked at each step: a state that is well but for this would be given up each time."""
    pruning = Pruning(timedelta(days=31))
    assert pruning.is_due(NOW)
    with pytest.raises(psycopg.errors.QueryCanceled):
        pruning.run(cast("psycopg.Connection", Slow()), NOW)
    assert not pruning.is_due(NOW + timedelta(seconds=59))
    assert pruning.is_due(NOW + Pruning.PAUSE)
