"""Logging of every process: structlog through the standard library's logging, to stderr.

structlog is imported when it is set up, because it is slow to import and short commands do without.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.typing import Processor

CLIENT_LOG = "librdkafka"
"""Name of the logger that Kafka clients are given."""


def log_as_json(fields: Mapping[str, object]) -> None:
    """For roles: a JSON object a line, from INFO up, with `fields` in each."""
    import structlog

    def add_fields(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**fields, **event}

    _configure(
        logging.INFO,
        [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            add_fields,
            _exception_without_values,
        ],
        structlog.processors.JSONRenderer(),
    )


def log_as_text() -> None:
    """For people: warnings and worse, a line each."""
    import structlog

    quiet_clients()
    _configure(
        logging.WARNING,
        [structlog.stdlib.add_log_level, _exception_without_values],
        structlog.processors.LogfmtRenderer(key_order=["level", "event"]),
    )


def quiet_clients() -> None:
    """What Kafka clients say of themselves is not for people: what matters of it comes as a fault."""
    logging.getLogger(CLIENT_LOG).setLevel(logging.CRITICAL)


def _configure(level: int, shared: "list[Processor]", renderer: "Processor") -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    for chatty in ("httpx2", "httpcore2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


def _exception_without_values(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """An exception's types and places; its message may hold a field's value (a database's often do)."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    fault = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exc_info()[1]
    if fault is not None:
        event["exception"] = [type(one).__qualname__ for one in _chain(fault)]
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(fault.__traceback__)]
    return event


def _chain(fault: BaseException) -> list[BaseException]:
    """The exception, what it came from, and so on."""
    chain: list[BaseException] = []
    one: BaseException | None = fault
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return chain
