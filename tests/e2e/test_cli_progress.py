"""What a terminal shows while a request is on its way."""

import os
import pty
import select
import signal
import subprocess
from contextlib import suppress
from threading import Thread

from stack.layout import REPO
from stack.roles import console_script
from tests.e2e.commands import TIMEOUT_S, environment, submit
from tests.e2e.deployment import Deployment
from tests.e2e.people import persons, rename


def test_a_terminal_shows_progress_and_a_pipe_none(running: Deployment) -> None:
    keys = running.take_keys(20)
    persons(running, "NORTH", keys)
    command = [str(console_script()), "submit", "--district", "NORTH", "--object", "PersonIdentity", "--wait"]
    master, terminal = pty.openpty()
    ended = subprocess.run(
        [*command, *map(str, keys)],
        env=environment(running, TERM="xterm", NO_COLOR="1"),
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=terminal,
        check=False,
        timeout=TIMEOUT_S,
    )
    os.close(terminal)
    seen = os.read(master, 100_000).decode()
    os.close(master)
    assert ended.returncode == 0
    assert "20/20" in seen
    assert "\x1b[3" not in seen, "colour in spite of NO_COLOR"
    assert "20/20" not in submit(running, "--wait", *keys).stderr


def test_progress_is_true_in_a_second_terminal(running: Deployment) -> None:
    """The applier stands still, so that the state is not settled: nothing of it is remembered by the first watcher."""
    keys = running.take_keys(20)
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys[:5])
    running.role("apply").signal(signal.SIGSTOP)
    request_id = submit(running, *keys).stdout.strip()
    for _ in range(2):
        shown, _ = watch_on_a_terminal(running, request_id, until="15/20")
        assert "15/20" in shown
    running.role("apply").signal(signal.SIGCONT)
    shown, code = watch_on_a_terminal(running, request_id, until=None)
    assert code == 0
    assert "COMPLETE, 20 keys" in shown


def watch_on_a_terminal(deployment: Deployment, request_id: str, until: str | None) -> tuple[str, int]:
    """What it shows, until it shows a text and is interrupted, or to its end; and its exit code."""
    master, terminal = pty.openpty()
    # As in a terminal: what runs in the background of a script ignores interrupts, and so does what it starts.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [str(console_script()), "watch", request_id],
        env=environment(deployment, TERM="xterm", NO_COLOR="1", COLUMNS="120"),
        cwd=REPO,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    signal.signal(signal.SIGINT, ours)
    os.close(terminal)
    seen = ""
    while select.select([master], [], [], TIMEOUT_S)[0]:
        try:
            piece = os.read(master, 100_000).decode()
        except OSError:
            break
        seen += piece
        if not piece or (until is not None and until in seen):
            break
    if until is not None:
        process.send_signal(signal.SIGINT)
    drained = Thread(target=drain, args=(master,))  # what nobody reads would keep it from ending
    drained.start()
    code = process.wait(TIMEOUT_S)
    drained.join()
    os.close(master)
    return seen, code


def drain(terminal: int) -> None:
    with suppress(OSError):
        while os.read(terminal, 100_000):
            pass
