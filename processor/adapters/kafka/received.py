from confluent_kafka import Message

from processor.service.records import Headers, Lane, Received


def received(message: Message, lane: Lane) -> Received:
    """A message without an error as the services take it."""
    return Received(
        lane=lane,
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=message.key(),
        value=message.value(),
        headers=_headers(message),
        timestamp_s=message.timestamp()[1] / 1000,
    )


def _headers(message: Message) -> Headers:
    found = message.headers()
    if not found:
        return ()
    pairs = found.items() if isinstance(found, dict) else found
    return tuple((name, value.encode() if isinstance(value, str) else value) for name, value in pairs)
