"""^C while services start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack import process
from stack.layout import REPO, Stack

UP = """
import os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stack import cli, process, services

def start_all(stack, say):
    process.spawn(stack, "never-ready", ["sleep", "60"], env=dict(os.environ), cwd=Path("/"))
    with ThreadPoolExecutor() as pool:
        pool.submit(process.await_ready, stack, "never-ready", lambda: False, 30)
        os.kill(os.getpid(), signal.SIGINT)

services.start_all = start_all
sys.exit(cli.main())
"""


def test_an_interrupt_waits_for_no_service_and_loses_none(tmp_path: Path) -> None:
    stack = Stack.at(tmp_path)
    try:
        done = subprocess.run(
            [sys.executable, "-c", UP, "--dir", str(tmp_path), "up"],
            env=dict(os.environ), cwd=REPO, capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip
        assert done.returncode == 130
        assert done.stderr.endswith("make down stops what runs\n")
        assert done.stderr.count("\n") == 1
        assert process.find(stack, "never-ready") is not None
    finally:
        assert process.stop(stack, "never-ready")


SPAWN = """
import os, signal, sys
from pathlib import Path
from threading import Timer
from stack import process
from stack.layout import Stack

Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGINT)).start()
process.spawn(Stack.at(Path(sys.argv[1])), "a", ["sleep", "60"], env=dict(os.environ), cwd=Path("/"))
"""


@pytest.mark.parametrize("after_ms", [5, 15, 25, 40])
def test_an_interrupt_loses_no_process_that_is_being_started(tmp_path: Path, after_ms: int) -> None:
    """What was started holds its log open, which is a pipe here: without a writer, it is at its end."""
    stack = Stack.at(tmp_path)
    log = stack.log_file("a")
    log.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    try:
        subprocess.run(
            [sys.executable, "-c", SPAWN, str(tmp_path), str(after_ms / 1000)],
            env=dict(os.environ), cwd=REPO, capture_output=True, check=False, timeout=20,
        )  # fmt: skip
        assert _has_writer(reader) == (process.find(stack, "a") is not None)
    finally:
        process.stop(stack, "a")
        os.close(reader)


def _has_writer(reader: int) -> bool:
    try:
        os.read(reader, 1)
    except BlockingIOError:
        return True
    return False
