"""Which of several batches is committed next."""

from concurrent.futures import Future

import pytest

from processor.core.plan import Plan
from processor.service.comparing import Compared
from processor.service.hand import LATE_S, Hand, InHand
from processor.service.intake import Intake


def batch(begun_at: float, chunks_of: int | None = None, *, is_done: bool = True) -> InHand:
    compared = Future[Compared]()
    if is_done:
        compared.set_result(Compared(Intake(), Plan(), ()))
    return InHand(chunks_of, 0, (), Intake(), compared, begun_at)


def taken_out(hand: Hand, now: float) -> list[InHand]:
    found = []
    while (each := hand.finished(now)) is not None:
        found.append(each)
    return found


@pytest.mark.parametrize(("after_s", "order"), [(0.9 * LATE_S, (0, 2, 1)), (LATE_S, (0, 1, 2))])
def test_late_chunks_go_before_what_was_begun_later_alone(after_s: float, order: tuple[int, ...]) -> None:
    hand = Hand(lambda: 0)
    batches = batch(1.0), batch(2.0, chunks_of=3), batch(2.1)
    for each in batches:
        hand.add(each)
    assert taken_out(hand, 2.0 + after_s) == [batches[place] for place in order]


def test_a_batch_that_is_not_done_holds_up_those_of_its_partition_alone() -> None:
    hand = Hand(lambda: 0)
    slow, behind, other = batch(0.0, is_done=False), batch(0.1), batch(0.0, chunks_of=3)
    for each in (slow, behind, other):
        hand.add(each)
    assert taken_out(hand, 0.1) == [other]
    slow.compared.set_result(Compared(Intake(), Plan(), ()))
    assert taken_out(hand, 0.1) == [slow, behind]
