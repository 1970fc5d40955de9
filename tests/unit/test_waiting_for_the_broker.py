"""A broker that takes connections and answers nothing is waited for at the start, until a stop is asked for."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from threading import Timer

import pytest

from processor.adapters.kafka import history_topic
from processor.bootstrap.parts import role_parts
from processor.bootstrap.store import store_clients
from processor.codec import Codec
from processor.core.catalog import Catalog, Limits
from processor.lifecycle import Lifecycle
from processor.settings import Settings, load_settings

CODEC = Codec.open(None, Catalog({}, {}, Limits()))


@pytest.fixture
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def life() -> Iterator[Lifecycle]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield Lifecycle(None)
    for number, handler in before.items():
        signal.signal(number, handler)


def store(settings: Settings, life: Lifecycle) -> None:
    store_clients(settings, CODEC, life)


def role(name: str, settings: Settings, life: Lifecycle) -> None:
    role_parts(settings, name, CODEC, life)


@pytest.mark.parametrize("start", [store, partial(role, "process"), partial(role, "apply")])
def test_it_waits(
    start: Callable[[Settings, Lifecycle], None],
    silent: str,
    life: Lifecycle,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("RESYNC_BOOTSTRAP_SERVERS", silent)
    monkeypatch.setattr(history_topic, "ANSWER_S", 0.2)
    stop = Timer(2.0, os.kill, (os.getpid(), signal.SIGTERM))
    stop.start()
    with pytest.raises(SystemExit) as ended:
        start(load_settings(), life)
    stop.join()
    assert ended.value.code == 0
    waits = [record for record in caplog.records if "trying again" in record.getMessage()]
    assert len(waits) > 1
    assert "the broker did not answer about" in waits[0].getMessage()
