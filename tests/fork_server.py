"""Forks processes from one that has imported `resync` already: `python -m tests.fork_server DESCRIPTOR`.

A new interpreter takes 0.2 to 0.7 s of CPU to import a command or a role, a fork some milliseconds (ADR 0173). What is
forked runs the entry point of the console script, or `main` of a module of the tests, in a session, environment and
directory of its own. It differs by what an interpreter reads when it starts: variables PYTHON…, the locale, the hash
seed.

Orders come by a socket, one after the other; `tests/forked.py` gives them.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import socket
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

import processor
import processor.cli.main

if TYPE_CHECKING:
    from io import TextIOWrapper

LATE = (
    "confluent_kafka.admin",
    "confluent_kafka.schema_registry",
    "httpcore2",
    "rich.live",
    "rich.progress",
    "structlog",
)
"""What is imported when it is used."""
ORDER_BYTES, DESCRIPTORS = 64, 4


def main() -> None:
    _import_all()
    channel = socket.socket(fileno=int(sys.argv[1]))
    if order := _serve(channel):
        _become(order)
        if module := order["module"]:
            importlib.import_module(module).main()
        elif (code := _run()) is not None:
            _end(code)


def _run() -> int | None:
    """A command's exit code. A role returns, or raises, to where an interpreter ends by itself; so does any fault."""
    try:
        processor.cli.main.main()
    except SystemExit as ended:
        if (sys.argv[1:2] and sys.argv[1] in processor.cli.main.ROLES) or not isinstance(ended.code, int):
            raise
        return ended.code
    return None


def _end(code: int) -> None:
    """As an interpreter ends, but for taking down all modules, which takes a fork longer than most commands take."""
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  (waits for threads)
    atexit._run_exitfuncs()  # noqa: SLF001
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _import_all() -> None:
    for module in pkgutil.walk_packages(processor.__path__, "processor."):
        importlib.import_module(module.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in LATE:
            importlib.import_module(name)
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise SystemExit("an import has started a thread: what is forked would lack it")
    gc.collect()
    gc.freeze()  # else the collector of each fork would copy it all


def _serve(channel: socket.socket) -> dict[str, Any] | None:
    """Returns in each forked process with its order, and None in this one once nobody can give orders any more.

    `start` comes with a file that holds the order and with the three standard streams; a pid is answered. `end PID`, of
    a process that has ended, is answered with its exit code, negative for a signal.
    """
    channel.sendall(b"ready")
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, ORDER_BYTES, DESCRIPTORS)
        if not message:
            return None
        if message == b"start":
            pid = os.fork()
            if pid == 0:
                channel.close()
                return _taken(descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            channel.sendall(str(pid).encode())
        else:
            _, status = os.waitpid(int(message.removeprefix(b"end ")), 0)
            channel.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _taken(descriptors: list[int]) -> dict[str, Any]:
    """The standard streams are put in their places; what remains is the order."""
    given, *streams = descriptors
    for place, descriptor in enumerate(streams):
        os.dup2(descriptor, place)
        os.close(descriptor)
    with os.fdopen(given, "rb") as file:
        file.seek(0)
        order: dict[str, Any] = json.load(file)
    return order


def _become(order: dict[str, Any]) -> None:
    os.setsid()
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = order["argv"]
    sys.orig_argv = [sys.executable, *sys.argv]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    sys.stdin = _opened(0, "r", sys.stdin)
    sys.stdout = _opened(1, "w", sys.stdout)
    sys.stderr = _opened(2, "w", sys.stderr, buffering=1)


def _opened(place: int, mode: Literal["r", "w"], like: TextIO, buffering: int = -1) -> "TextIOWrapper[Any]":
    # Open until the process ends.
    return open(place, mode, buffering, encoding=like.encoding, errors=like.errors, closefd=False)


if __name__ == "__main__":
    main()
