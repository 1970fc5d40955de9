"""What a role's live metrics and readiness checks are looked up from when somebody asks."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from processor import metrics
from processor.adapters.kafka.history_reader import GroupReader
from processor.adapters.kafka.inbox import Inbox
from processor.adapters.postgres.watch import DatabaseWatch
from processor.core.counted import counted
from processor.lifecycle import Check, Lifecycle
from processor.metric_kinds import Series
from processor.service.monitor import Look, Monitor
from processor.service.store_counts import StoreCounts
from processor.service.tally import lane_label


def show_inbox(inbox: Inbox) -> None:
    def seconds() -> Series:
        now_s = time.time()
        lags = inbox.lag.items()
        return {(lane_label(lane),): max(0.0, now_s - (lag.oldest_s or now_s)) for lane, lag in lags}

    metrics.LAG_RECORDS.shows(lambda: {(lane_label(lane),): lag.records for lane, lag in inbox.lag.items()})
    metrics.LAG_SECONDS.shows(seconds)


def show_assigned(life: Lifecycle, partitions: int) -> None:
    metrics.ASSIGNED.is_number(lambda: partitions)
    life.passed("assigned", f"{partitions} partitions")


def show_databases(watch: DatabaseWatch, life: Lifecycle, districts: int) -> None:
    """`districts`: the number of the catalog's."""
    if districts <= metrics.MOST_DISTRICTS:
        metrics.DISTRICT_UP.shows(lambda: {(district_id,): up for district_id, up in watch.ups().items()})
    metrics.DISTRICTS_DOWN.is_number(lambda: sum(not up for up in watch.ups().values()))
    metrics.STATE_UP.is_number(watch.state_is_up)
    life.check("databases", watch.check)


def show_state(life: Lifecycle, is_up: Callable[[], bool | None]) -> None:
    """Of an applier: whether the state's database did what it was last asked for."""
    metrics.STATE_UP.is_number(is_up)
    life.check("state", lambda: Check(is_up() is True, "up" if is_up() else "away, or not asked yet"))


def show_store(counts: StoreCounts, log: GroupReader, life: Lifecycle) -> None:
    def behind() -> float:
        positions = counts.positions
        return sum(max(0, end - positions.get(partition, end)) for partition, end in log.ends.items())

    def since(oldest: datetime | None) -> float:
        return 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())

    def assigned() -> Check:
        partitions = counts.assigned
        if partitions is None:
            return Check(ok=False, detail="not yet")
        return Check(ok=True, detail=f"{len(partitions)} partitions")

    metrics.ASSIGNED.is_number(lambda: None if counts.assigned is None else len(counts.assigned))
    metrics.STORE_LAG_RECORDS.is_number(behind)
    metrics.STORE_LAG_SECONDS.is_number(lambda: _age_s(log.behind_since))
    metrics.STORE_OFFSET.shows(lambda: {(str(p),): offset for p, offset in counts.positions.items()})
    metrics.UNANSWERED.is_number(lambda: since(counts.oldest_unanswered))
    metrics.HELD_REQUESTS.is_number(lambda: counts.held)
    metrics.OLDEST_HELD.is_number(lambda: since(counts.oldest_held))
    life.check("assigned", assigned)
    life.check("history", lambda: Check(counts.is_available, "up" if counts.is_available else "away"))


def show_monitor(monitor: Monitor, life: Lifecycle, patience_s: float) -> None:
    """`patience_s`: how old the last look may be for the monitor to be ready."""

    def ages(look: Look) -> Mapping[tuple[str, ...], float]:
        now_s = time.time()
        return {place: monitor.lag_age_s(lag, now_s) for place, lag in look.lags.items()}

    def look_age_s() -> float | None:
        return None if monitor.looked_at is None else time.monotonic() - monitor.looked_at

    def broker() -> Check:
        age_s = look_age_s()
        if age_s is None:
            return Check(ok=False, detail="not yet")
        return Check(age_s <= patience_s, f"asked {age_s:.0f} s ago")

    def history() -> Check:
        count = monitor.open_requests
        return Check(count is not None, "being read" if count is None else counted(count, "request") + " open")

    metrics.GROUP_MEMBERS.shows(lambda: {(role,): count for role, count in monitor.last.members.items()})
    metrics.GROUP_LAG_RECORDS.shows(lambda: {place: lag.records for place, lag in monitor.last.lags.items()})
    metrics.GROUP_LAG_SECONDS.shows(lambda: ages(monitor.last))
    metrics.RETENTION.shows(lambda: {(topic,): kept_s for topic, kept_s in monitor.last.retention_s.items()})
    metrics.DEAD_LETTERS_END.is_number(lambda: monitor.last.dead_letters_end)
    metrics.OPEN_REQUESTS.is_number(lambda: monitor.open_requests)
    metrics.OLDEST_OPEN.is_number(lambda: monitor.oldest_age_s(time.time()))
    metrics.MONITOR_AGE.is_number(look_age_s)
    life.check("broker", broker)
    life.check("history", history)


def _age_s(since_s: float | None) -> float:
    return 0.0 if since_s is None else max(0.0, time.time() - since_s)
