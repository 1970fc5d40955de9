"""Runs one store until it is killed: `python -m tests.integration.store.process '{"bootstrap": …}'`."""

import json
import os
import signal
import sys
from datetime import UTC, datetime
from threading import Event

from processor.adapters.kafka.control_reader import ControlReader
from processor.adapters.kafka.history_reader import GroupReader
from processor.adapters.kafka.history_writer import StoreTopics, StoreWriter
from processor.adapters.postgres.history_tables import PostgresTables
from processor.codec import Codec
from processor.core.catalog import Catalog, Limits
from processor.crashpoint import CrashPoints
from processor.service.control import Control
from processor.service.history_changes import history_decoder
from processor.service.history_ports import BatchLimits
from processor.service.materialize import Store, StoreParts
from processor.service.overdue import OverdueRule


class FreezePoints(CrashPoints):
    """Stands still where a crash point would kill."""

    def __init__(self, freeze_at: str) -> None:
        super().__init__(None)
        name, _, count = freeze_at.partition(":")
        self._freeze = name
        self._passes = int(count)

    def __call__(self, name: str) -> None:
        if name == self._freeze:
            self._passes -= 1
            if self._passes == 0:
                os.kill(os.getpid(), signal.SIGSTOP)


def main() -> None:
    settings = json.loads(sys.argv[1])
    stopped = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    frozen = settings.get("freeze_at")
    release, ordinal = settings["release"], settings["ordinal"]
    options = {"bootstrap.servers": settings["bootstrap"], **settings.get("options", {})}
    codec = Codec.open(None, Catalog({}, {}, Limits()), settings.get("registry"))
    history = f"{release}.history"
    reader = GroupReader(options, history, f"{release}-store", f"{release}-store-{ordinal}")
    written = StoreTopics(history, f"{release}.retry", f"{release}.chunks")
    writer = StoreWriter({"bootstrap.servers": settings["bootstrap"]}, written, codec, 5.0)
    tables = PostgresTables(settings["dsn"], f"resync/store/{ordinal}")
    parts = StoreParts(
        log=reader,
        tables=tables,
        writer=writer,
        decode=history_decoder(codec),
        now=lambda: datetime.now(UTC),
        crash_points=FreezePoints(frozen) if frozen else CrashPoints(settings.get("crash_at")),
        limits=BatchLimits(records=settings.get("records", 5_000)),
        overdue=OverdueRule(),
        control=Control(ControlReader({"bootstrap.servers": settings["bootstrap"]}, [f"{release}.control"], codec)),
    )
    Store(parts).run(stopped.is_set)
    reader.close()
    writer.close()


if __name__ == "__main__":
    main()
