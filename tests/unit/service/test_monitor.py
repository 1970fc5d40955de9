"""Open requests from keys and headers, and a monitor that keeps what it knew while nobody answers."""

from dataclasses import dataclass, field

import pytest

from processor.core import ids
from processor.service.client_ports import Unreachable
from processor.service.monitor import GroupLag, Look, Monitor, OpenRequests

ID, OTHER = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c01", "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c02"
BEGIN = (ids.request_key(ID).encode(), b"ACCEPTED")


@pytest.mark.parametrize(
    ("key", "status", "left"),
    [
        (ids.end_key(ID), b"COMPLETE", 0),
        (ids.cleared_key(ID), b"", 0),
        (ids.request_key(ID), None, 0),
        (ids.request_key(ID), b"REJECTED", 0),
        (ids.request_key(ID), b"HELD", 0),
        (ids.request_key(ID), b"ACCEPTED", 1),
        (ids.outcome_key(ID, "PersonIdentity", "7"), b"APPLIED", 1),
        (ids.chunk_key(ID, "0.1"), b"DONE", 1),
        (ids.end_key(OTHER), b"COMPLETE", 1),
        ("", b"", 1),
        ("foreign", b"ACCEPTED", 1),
    ],
)
def test_what_ends_a_request(key: str, status: bytes | None, left: int) -> None:
    requests = OpenRequests()
    requests.add(*BEGIN, 5.0)
    requests.add(key.encode(), status, 9.0)
    assert len(requests) == left


def test_the_oldest_is_the_one_accepted_first() -> None:
    requests = OpenRequests()
    assert requests.oldest_s() is None
    requests.add(OTHER.encode(), b"ACCEPTED", 9.0)
    requests.add(ID.encode(), b"ACCEPTED", 5.0)
    requests.add(ID.encode(), b"ACCEPTED", 20.0)
    assert requests.oldest_s() == 5.0


def test_one_that_is_held_waits_for_a_person_and_counts_from_its_release() -> None:
    requests = OpenRequests()
    for status, at_s in ((b"ACCEPTED", 1.0), (b"HELD", 2.0), (b"ACCEPTED", 30.0)):
        requests.add(ID.encode(), status, at_s)
    assert requests.oldest_s() == 30.0


def test_requests_that_found_no_room_are_read_again_once_there_is() -> None:
    requests = OpenRequests(most=2)
    names = [b"0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c%02d" % number for number in range(3)]
    for name in names:
        requests.add(name, b"ACCEPTED", 1.0)
    assert (len(requests), requests.wants_rereading()) == (2, False)
    for name in names[:2]:
        requests.add(name + b"/~end", b"COMPLETE", 9.0)
    assert requests.wants_rereading()
    requests.clear()
    assert not requests.wants_rereading()


@dataclass(slots=True)
class Heads:
    """A topic in memory."""

    log: list[tuple[bytes, bytes | None, float]]
    at: int = 0
    is_read: bool = True
    rereads: int = 0

    def read(self, requests: OpenRequests, for_s: float) -> bool:
        assert for_s > 0
        for record in self.log[self.at :]:
            requests.add(*record)
        self.at = len(self.log)
        return self.is_read

    def again(self) -> None:
        self.at = 0
        self.rereads += 1


@dataclass(slots=True)
class Groups:
    looks: list[Look | Unreachable] = field(default_factory=lambda: [Look()])

    def look(self) -> Look:
        found = self.looks.pop(0)
        if isinstance(found, Unreachable):
            raise found
        return found


def test_nothing_is_said_of_requests_before_the_topic_was_read() -> None:
    heads = Heads([(*BEGIN, 5.0)], is_read=False)
    monitor = Monitor(heads, Groups(), every_s=60)
    monitor.step()
    assert (monitor.open_requests, monitor.oldest_age_s(65.0)) == (None, None)
    heads.is_read = True
    monitor.step()
    assert (monitor.open_requests, monitor.oldest_age_s(65.0)) == (1, 60.0)


def test_a_request_that_nobody_took_on_counts_as_open() -> None:
    look = Look(lags={("process", "requests"): GroupLag(1, 20.0), ("process", "retry"): GroupLag(1, 1.0)})
    monitor = Monitor(Heads([]), Groups([look]), every_s=60)
    monitor.step()
    assert monitor.open_requests == 0
    assert monitor.oldest_age_s(65.0) == pytest.approx(45.0, abs=1.0)


def test_what_was_on_its_way_at_the_last_look_is_not_behind_until_the_next() -> None:
    lag = GroupLag(1, 20.0)
    monitor = Monitor(Heads([]), Groups([Look(lags={("process", "requests"): lag})]), every_s=60)
    monitor.step()
    assert monitor.looked_at is not None
    monitor.looked_at -= 40.0
    assert monitor.lag_age_s(lag, 60.5) == pytest.approx(0.5, abs=0.4)
    assert monitor.oldest_age_s(60.5) == pytest.approx(0.5, abs=0.4)
    monitor.looked_at -= 81.0
    assert monitor.lag_age_s(lag, 141.5) == 121.5, "two looks are overdue"


def test_what_was_seen_last_ages_while_the_broker_is_away() -> None:
    look = Look({"apply": 1}, {("process", "requests"): GroupLag(1, 20.0)})
    monitor = Monitor(Heads([]), Groups([look, Unreachable("away"), Unreachable("away")]), every_s=1e-9)
    monitor.step()
    seen_at = monitor.looked_at
    monitor.step()
    assert (monitor.last, monitor.looked_at) == (look, seen_at)
    assert monitor.oldest_age_s(1_020.0) == 1_000.0
