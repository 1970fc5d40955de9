"""What librdkafka says of itself, through a list of what is worth a metric.

Of consumers only: their poll serves the statistics. A producer that is idle is not polled, and they would pile up.
"""

import json
from collections.abc import Mapping
from typing import Any

from processor import metrics

EVERY_MS = 10_000
_MICROSECONDS = 1_000_000


class ConsumerStatistics:
    """Of one consumer. `options` are to be given to it."""

    def __init__(self) -> None:
        self._last: Mapping[str, float] = {}
        metrics.CLIENT_REBALANCES.is_number(lambda: self._last.get("rebalances"))
        metrics.CLIENT_RTT.is_number(lambda: self._last.get("rtt_s"))
        metrics.CLIENT_QUEUED.is_number(lambda: self._last.get("fetched"))

    def options(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """With `config`, whose interval wins where it has one."""
        return {"statistics.interval.ms": EVERY_MS, **config, "stats_cb": self._take}

    def _take(self, text: str) -> None:
        said = json.loads(text)
        partitions = [p for topic in said["topics"].values() for p in topic["partitions"].values()]
        rtts = [broker["rtt"]["p99"] for broker in said["brokers"].values() if broker["nodeid"] >= 0]
        self._last = {
            "rebalances": float(said.get("cgrp", {}).get("rebalance_cnt", 0)),
            "rtt_s": max(rtts, default=0) / _MICROSECONDS,
            "fetched": float(sum(p["fetchq_cnt"] for p in partitions)),
        }
