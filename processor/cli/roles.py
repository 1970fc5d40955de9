"""The roles: processes that run until they are told to stop."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.settings import Settings


def process() -> None:
    """Compare, decide and send corrections, until SIGTERM."""
    from processor.bootstrap.process import run_process

    _run("process", run_process)


def apply() -> None:
    """Apply corrections at the state, until SIGTERM."""
    from processor.bootstrap.apply import run_apply

    _run("apply", run_apply)


def store() -> None:
    """Keep the history topic as tables in Postgres, until SIGTERM."""
    from processor.bootstrap.store import run_store

    _run("store", run_store)


def monitor() -> None:
    """Export the lag of all groups and the oldest open request, from the broker alone, until SIGTERM."""
    from processor.bootstrap.monitor import run_monitor

    _run("monitor", run_monitor)


def _run(role: str, run: "Callable[[Settings], None]") -> None:
    import structlog

    from processor.logs import log_as_json
    from processor.settings import load_settings

    log_as_json({"role": role})
    settings = load_settings()
    log_as_json({"role": role, "release": settings.release, "ordinal": settings.ordinal})
    log = structlog.get_logger("resync")
    log.info("starting")
    run(settings)
    log.info("stopped")
