import pytest
from confluent_kafka import KafkaError, TopicPartition

from processor.adapters.kafka.membership import REJOIN_S, ClientBroken, Membership, is_of_others
from tests.unit.adapters.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def membership(clock: Clock) -> Membership:
    return Membership("local-process-0", clock)


def test_the_first_join_is_waited_for_without_end(clock: Clock, membership: Membership) -> None:
    clock.now_s += 100 * REJOIN_S
    membership.check()


def test_a_member_that_is_not_let_in_again_is_broken(clock: Clock, membership: Membership) -> None:
    membership.given()
    membership.taken()
    clock.now_s += REJOIN_S
    membership.check()
    clock.now_s += 1
    with pytest.raises(ClientBroken, match=r"local-process-0 was not let into its group"):
        membership.check()


def test_a_member_without_partitions_is_a_member(clock: Clock, membership: Membership) -> None:
    membership.taken()
    membership.given()
    clock.now_s += 100 * REJOIN_S
    membership.check()


@pytest.mark.parametrize("code", [KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID])  # noqa: SLF001 librdkafka's own
def test_a_member_that_is_shut_out_is_broken(membership: Membership, code: int) -> None:
    with pytest.raises(ClientBroken, match=r"local-process-0 was shut out"):
        membership.check_error(KafkaError(code))


def test_other_errors_pass(membership: Membership) -> None:
    membership.check_error(KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS))


@pytest.mark.parametrize(
    ("given", "is_others"),
    [((), False), (("one", "two"), False), (("one",), True), (("one", "two", "three"), True), (("three",), True)],
)
def test_partitions_of_other_topics_than_are_read(given: tuple[str, ...], *, is_others: bool) -> None:
    """None at all is right where there are more members than partitions."""
    assert is_of_others([TopicPartition(topic, 0) for topic in given], ["one", "two"]) is is_others
