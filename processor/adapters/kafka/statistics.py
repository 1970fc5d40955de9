"""What librdkafka says of itself, through a list of what is worth a metric.

Of consumers only: their poll serves the statistics. A producer that is idle is not polled, and they would pile up.
"""

import json
from collections.abc import Mapping
from typing import Any

from processor import metrics

EVERY_MS = 10_000


class ConsumerStatistics:
    """Of one consumer. `options` are to be given to it."""

    def __init__(self) -> None:
        self._last: Mapping[str, float] = {}
        metrics.CLIENT_REBALANCES.is_number(lambda: self._last.get("rebalances"))
        metrics.CLIENT_TIMEOUTS.is_number(lambda: self._last.get("timeouts"))
        metrics.CLIENT_QUEUED.is_number(lambda: self._last.get("fetched"))

    def options(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """With `config`, whose interval wins where it has one."""
        return {"statistics.interval.ms": EVERY_MS, **config, "stats_cb": self._take}

    def _take(self, text: str) -> None:
        said = json.loads(text)
        partitions = [p for topic in said["topics"].values() for p in topic["partitions"].values()]
        self._last = {
            "rebalances": float(said.get("cgrp", {}).get("rebalance_cnt", 0)),
            "timeouts": float(sum(broker["req_timeouts"] for broker in said["brokers"].values())),
            "fetched": float(sum(p["fetchq_cnt"] for p in partitions)),
        }
