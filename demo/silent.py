"""An applier that never answers, in the place of the state's own: it carries out some corrections and drops the others.

It has the identity of the stack's applier and commits what it took, so nobody will carry out what it dropped. One
district's corrections it leaves to the applier that comes after it, whose answers are late.
"""

from collections.abc import Collection
from threading import Event, Thread

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from demo.databases import Databases, connect
from stack.errors import StackError

TOPIC = "state.corrections"
PATIENCE_S = 60.0
APPLY = "update state_person set phone_number = %s where district_id = %s and district_person_id = %s"


class SilentApplier(Thread):
    """`applies`: district and key of persons that get the telephone number; `late`: the district left to others."""

    def __init__(
        self, databases: Databases, release: str, applies: Collection[tuple[str, str]], phone: str, late: str
    ) -> None:
        super().__init__(name="silent applier", daemon=True)
        self._consumer = Consumer({
            "bootstrap.servers": databases.bootstrap_servers,
            "group.id": f"{release}-apply",
            "group.instance.id": f"{release}-apply-0",
            "group.protocol": "classic",
            "partition.assignment.strategy": "range",
            "session.timeout.ms": 10_000,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        })  # fmt: skip
        self._state_dsn = databases.state
        self._applies = applies
        self._phone = phone
        self._late = late
        self._taken: dict[int, int] = {}
        self._left: set[int] = set()
        self._has_all, self._stopping = Event(), Event()
        self._fault: Exception | None = None

    def begin(self) -> None:
        """Returns once every partition is its own. Raises StackError."""
        self.start()
        if not self._has_all.wait(PATIENCE_S) or self._fault:
            raise StackError(f"the applier that never answers was not given {TOPIC} ({self._fault or 'no time left'})")

    def end(self) -> None:
        """Returns once what it took is committed. Raises StackError."""
        self._stopping.set()
        self.join(PATIENCE_S)
        if self._fault or self.is_alive():
            raise StackError(f"the applier that never answers could not commit ({self._fault or 'no time left'})")

    def run(self) -> None:
        try:
            self._take()
        except Exception as fault:  # noqa: BLE001 (told by whoever waits for this thread)
            self._fault = fault
            self._has_all.set()
        finally:
            self._consumer.close()

    def _take(self) -> None:
        partitions = len(self._consumer.list_topics(TOPIC, PATIENCE_S).topics[TOPIC].partitions)
        self._consumer.subscribe([TOPIC])
        with connect(self._state_dsn) as state:
            while not self._stopping.is_set():
                message = self._consumer.poll(0.1)
                if len(self._consumer.assignment()) == partitions:
                    self._has_all.set()
                if message is None:
                    continue
                if error := message.error():
                    raise KafkaException(error)
                record = self._note(message)
                if record in self._applies:
                    state.execute(APPLY, (self._phone, *record))
        done = [TopicPartition(TOPIC, p, offset) for p, offset in self._taken.items() if p not in self._left]
        if done:
            self._consumer.commit(offsets=done, asynchronous=False)

    def _note(self, message: Message) -> tuple[str, str]:
        """District and key that the correction is of."""
        headers = dict(message.headers() or ())
        district_id, key = _text(headers["district_id"]), _text(headers["key"])
        partition, offset = message.partition(), message.offset()
        if partition is not None and offset is not None:
            self._taken[partition] = offset + 1
            if district_id == self._late:
                self._left.add(partition)
        return district_id, key


def _text(header: str | bytes | None) -> str:
    return header if isinstance(header, str) else (header or b"").decode()
