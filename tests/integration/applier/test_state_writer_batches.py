"""Large batches, and what a few bad rows among many cost."""

import time
from collections.abc import Callable

from processor.core.correction import Result
from tests.integration.applier.world import World, create, update


def test_ten_thousand_creates_with_one_in_a_hundred_bad(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    batch = [
        create("Person", str(n), {"lastName": f"L{n}", "born": "1850-01-01" if n % 100 == 7 else "2010-01-01"})
        for n in range(10_000)
    ]
    began = time.monotonic()
    answers = world.apply(*batch)
    took = time.monotonic() - began

    wrong = [answer for answer in answers if answer.result is not Result.APPLIED]
    assert [int(answer.source.key) for answer in wrong] == list(range(7, 10_000, 100))
    assert {(answer.result, answer.detail) for answer in wrong} == {(Result.REJECTED_BY_STATE, "person_born")}
    assert world.rows("select count(*) from person") == [(9_900,)]
    assert world.rows("select count(*) from resync_applier.versions") == [(9_900,)]
    assert took < 30
    record_property("seconds", round(took, 2))


def test_ten_thousand_updates_and_the_same_batch_again(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    world.apply(*(create("Person", str(n), {"lastName": "A"}) for n in range(10_000)))
    batch = [update("Person", str(n), {"lastName": "A"}, {"lastName": "B"}) for n in range(10_000)]

    began = time.monotonic()
    assert set(world.results(*batch)) == {Result.APPLIED}
    first = time.monotonic()
    assert set(world.results(*batch)) == {Result.APPLIED}
    again = time.monotonic()

    assert world.rows("select count(*) from person where changes = 1") == [(10_000,)]
    record_property("seconds", round(first - began, 2))
    record_property("seconds given again", round(again - first, 2))


def test_a_thousand_persons_and_their_enrollments_interleaved(world: World) -> None:
    batch = []
    for n in range(1_000):
        batch.append(create("Enrollment", str(n), {"personID": str(n)}))
        batch.append(create("Person", str(n), {"lastName": "A"}))

    assert set(world.results(*batch)) == {Result.APPLIED}


def test_one_key_fifty_times_in_a_batch(world: World) -> None:
    batch = [create("Person", "7", {"lastName": "0"})]
    batch += [update("Person", "7", {"lastName": str(n)}, {"lastName": str(n + 1)}) for n in range(50)]

    assert set(world.results(*batch)) == {Result.APPLIED}
    assert world.rows("select last_name, changes from person") == [("50", 50)]
