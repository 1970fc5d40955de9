from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stack import process
from stack.errors import ServiceFailedError, StackError
from stack.layout import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEPER = "import time; print('hello', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('hello', flush=True); time.sleep(60)"
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack.at(tmp_path)
    yield stack
    for name in process.names(stack):
        process.stop(stack, name, how=signal.SIGKILL)


def spawn(stack: Stack, name: str, code: str) -> int:
    pid = process.spawn(stack, name, [sys.executable, "-c", code], env={}, cwd=stack.dir)
    log = stack.log_file(name)
    process.await_ready(stack, name, lambda: "hello" in log.read_text(), deadline_s=10)
    return pid


def test_a_started_process_is_found_and_is_nobodys_child(stack: Stack) -> None:
    pid = spawn(stack, "a", SLEEPER)
    assert process.find(stack, "a") == pid
    assert os.getsid(pid) == pid
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    assert stack.pid_file("a").read_text() == f"{pid}\n"


def test_a_process_is_found_from_its_first_moment(stack: Stack) -> None:
    """Also while the kernel still lays out its memory, when neither environment nor command line can be read."""
    for turn in range(30):
        pid = process.spawn(stack, str(turn), ["/bin/sleep", "60"], env={}, cwd=stack.dir)
        assert process.find(stack, str(turn)) == pid


def test_a_pid_that_another_program_has_now_is_not_ours(stack: Stack) -> None:
    pid = spawn(stack, "a", SLEEPER)
    os.kill(pid, signal.SIGKILL)
    stack.pid_file("a").write_text(f"{os.getpid()}\n")
    assert process.find(stack, "a") is None
    assert process.stop(stack, "a") is False
    assert not stack.pid_file("a").exists()


def test_a_zombie_has_ended(stack: Stack) -> None:
    stack.run_dir.mkdir()
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        stack.pid_file("a").write_text(f"{child.pid}\n")
        stack.began_file("a").write_text(f"{fields[19]}\n")
        assert process.find(stack, "a") == child.pid
        child.kill()
        assert process.await_exit(child.pid, 10)
        assert process.find(stack, "a") is None


@pytest.mark.parametrize("content", ["", "x", "4194999"])
def test_a_pid_file_without_a_process(stack: Stack, content: str) -> None:
    stack.run_dir.mkdir()
    stack.pid_file("a").write_text(content)
    assert process.find(stack, "a") is None


def test_stop_waits_for_the_end(stack: Stack) -> None:
    pid = spawn(stack, "a", SLEEPER)
    assert process.stop(stack, "a") is True
    assert process.await_exit(pid, 0)
    assert process.find(stack, "a") is None


def test_what_does_not_heed_is_killed_after_the_grace_period(stack: Stack) -> None:
    pid = spawn(stack, "a", STUBBORN)
    process.stop(stack, "a", grace_s=0.1)
    assert process.await_exit(pid, 5)


def test_a_frozen_process_can_be_stopped(stack: Stack) -> None:
    pid = spawn(stack, "a", SLEEPER)
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    assert process.stop(stack, "a", grace_s=20)
    assert time.monotonic() - started < 10


def test_a_process_that_ends_shows_the_end_of_its_log(stack: Stack) -> None:
    code = "for i in range(50): print('line', i)"
    process.spawn(stack, "a", [sys.executable, "-c", code], env={}, cwd=stack.dir)
    with pytest.raises(ServiceFailedError, match="a ended while starting") as failure:
        process.await_ready(stack, "a", lambda: False, deadline_s=10)
    assert "line 30\n" in str(failure.value)
    assert "line 29\n" not in str(failure.value)


def test_a_program_that_is_not_there(stack: Stack) -> None:
    with pytest.raises(StackError, match=r"a could not be started.*No such file.*/no/program"):
        process.spawn(stack, "a", ["/no/program"], env={}, cwd=stack.dir)
    assert process.find(stack, "a") is None


def test_one_command_at_a_time(stack: Stack) -> None:
    with stack.locked(), pytest.raises(StackError, match="another command"), stack.locked():
        pass
