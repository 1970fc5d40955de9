"""Orders about requests that are under way: the store judges them, and tells the processor what a request becomes.

`ordered_by` is a claim, as `requested_by` is. Where a policy is set, an order has the rights of the topic that it came
by. Control topics are read from their beginnings whenever partitions are taken over: an order that was carried out is
met again, and found to be void.
"""

from collections.abc import Iterable
from datetime import datetime

import structlog

from processor import metrics
from processor.core.control_rights import order_refusal
from processor.core.history import Order, OrderAction, RequestStatus
from processor.core.order import VOID_TEXTS, Void, ordered, void_of
from processor.core.policy import Policy
from processor.crashpoint import CrashPoints
from processor.service.guard_ports import Orderable
from processor.service.history_ports import HistoryTables, HistoryWriter
from processor.service.recent import Recent

log = structlog.get_logger(__name__)

CANCELLED_S = 300.0
"""For how long a request that was cancelled here is known, until the history tells it."""
TAKEN = "taken"


class Orders:
    def __init__(self, policy: Policy | None, tables: HistoryTables, writer: HistoryWriter, crash: CrashPoints) -> None:
        self._policy = policy
        self._tables = tables
        self._writer = writer
        self._crash = crash
        self._cancelled = Recent(CANCELLED_S)

    def carry_out(self, given: Iterable[tuple[str, Order]], now: datetime) -> None:
        """Each with its topic, in their order."""
        orders = list(given)
        ids = list({order.request_id for _, order in orders})
        found = {each.status.request.request_id: each for each in self._tables.orderable(ids)}
        taken: list[tuple[Order, RequestStatus]] = []
        cancelled: set[str] = set()
        for topic, order in orders:
            is_late = order.request_id in cancelled
            void = Void.ENDED if is_late else self._void(topic, order, found.get(order.request_id))
            if void is None:
                taken.append((order, ordered(order, found[order.request_id].status, now)))
                if order.action is not OrderAction.RELEASE:
                    cancelled.add(order.request_id)
            else:
                self._tell(topic, order, void)
        if not taken:
            return
        self._crash("store.before_order")
        self._writer.orders([status for _, status in taken])
        self._crash("store.after_order")
        # Only what is written is known: after a fault the order is read again, and has to mean something still.
        for request_id in cancelled:
            self._cancelled.add(request_id)
        for order, status in taken:
            metrics.STORE_ORDERS.labels(order.action, TAKEN).inc()
            log.info("order taken", request_id=order.request_id, action=order.action, state=status.state)

    def _void(self, topic: str, order: Order, about: Orderable | None) -> Void | None:
        """Rights are asked for last: what means nothing anyway is not counted as refused."""
        if about is None:
            return Void.UNKNOWN
        if order.request_id in self._cancelled:
            return Void.ENDED
        void = void_of(order, about.status, about.shown)
        if void is None and not self._is_allowed(topic, order, about.status):
            return Void.NOT_ALLOWED
        return void

    def _is_allowed(self, topic: str, order: Order, status: RequestStatus) -> bool:
        """For all objects that the request would change."""
        policy, district_id = self._policy, status.request.district_id
        if policy is None:
            return True
        objects = {status.request.object, *(each.object for each in (status.planned.counts if status.planned else ()))}
        return all(order_refusal(policy, topic, order.action, (district_id, name)) is None for name in objects)

    def _tell(self, topic: str, order: Order, void: Void) -> None:
        metrics.STORE_ORDERS.labels(order.action, void).inc()
        tell = log.warning if void in (Void.SAME_PERSON, Void.NOT_ALLOWED) else log.info
        tell(
            "order without effect", topic=topic, request_id=order.request_id, action=order.action, why=VOID_TEXTS[void]
        )
