"""Programs that are started and told to end."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.workers import await_ready, end
from bench.world import RunFailed

WORKS = "import time; print('starting'); print('ready', flush=True); time.sleep(60)"
FAILS = "import sys; sys.exit('no broker')"
STOPS = "print('ready', flush=True)"
COMPLAINS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit('not committed'))
print('ready', flush=True)
time.sleep(60)
"""


def start(program: str, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as errors:
        return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=errors)


def test_a_program_that_is_ready_works_until_it_is_told_to_end(tmp_path: Path) -> None:
    with start(WORKS, tmp_path / "log") as process:
        await_ready(process, "it", tmp_path / "log")
        end(process, "it", tmp_path / "log")
        assert process.returncode is not None


def test_a_program_that_does_not_get_ready_says_why(tmp_path: Path) -> None:
    with start(FAILS, tmp_path / "log") as process:
        process.wait()
        with pytest.raises(RunFailed, match="before it was ready:\nno broker"):
            await_ready(process, "it", tmp_path / "log")


@pytest.mark.parametrize(
    ("program", "said"), [(STOPS, "it ended with 0"), (COMPLAINS, "it ended with 1:\nnot committed")]
)
def test_a_program_that_ends_by_itself_or_badly_has_no_figure(program: str, said: str, tmp_path: Path) -> None:
    with start(program, tmp_path / "log") as process:
        await_ready(process, "it", tmp_path / "log")
        if program == STOPS:
            process.wait()
        with pytest.raises(RunFailed, match=said):
            end(process, "it", tmp_path / "log")
