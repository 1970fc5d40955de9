"""What is forked for tests is a process as any other."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stack.layout import REPO
from stack.roles import console_script
from tests import forked
from tests.awaiting import await_

ENV = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")}
NOWHERE = {"RESYNC_BOOTSTRAP_SERVERS": "127.0.0.1:1", "RESYNC_REGISTRY_URL": "http://127.0.0.1:1"}
CATALOG = {"RESYNC_CATALOG": str(REPO / "demo" / "catalog.yaml")}
SUBMIT = ("submit", "--district", "NORTH", "--object", "PersonIdentity")


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (("--version",), {}),
        (("history",), {}),
        (("policy", "check"), CATALOG),
        (("process",), {"RESYNC_ORDINAL": "-1"}),
    ],
)
def test_it_says_and_returns_what_a_new_interpreter_does(arguments: tuple[str, ...], settings: dict[str, str]) -> None:
    ours = forked.run(arguments, env=ENV | settings)
    new = subprocess.run(
        [console_script(), *arguments], env=ENV | settings, cwd=REPO, capture_output=True, text=True, check=False
    )
    assert (ours.returncode, ours.stdout) == (new.returncode, new.stdout)
    assert ours.stderr.partition("timestamp")[0] == new.stderr.partition("timestamp")[0]


def test_it_reads_its_input() -> None:
    assert "holds no keys" in forked.run([*SUBMIT, "-"], env=ENV | CATALOG).stderr
    assert "holds no keys" not in forked.run([*SUBMIT, "-"], env=ENV | CATALOG | NOWHERE, stdin="1\n").stderr


def test_it_is_a_process_of_its_own_that_signals_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for number, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        with log.open("wb") as out:
            role = forked.start(["monitor"], env=ENV | CATALOG | NOWHERE, out=out)
        await_(lambda: "trying again" in log.read_text(), "the role at work")
        assert role.poll() is None
        assert os.getsid(role.pid) == role.pid
        assert Path(f"/proc/{role.pid}/cwd").resolve() == REPO
        assert len(list(Path(f"/proc/{role.pid}/fd").glob("[012]"))) == 3
        role.send_signal(number)
        assert role.wait(10) == role.poll() == code
        assert not Path(f"/proc/{role.pid}").exists(), "it is waited for, as a child is"


def test_what_takes_too_long_is_killed() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run(["monitor"], env=ENV | CATALOG | NOWHERE, timeout_s=0.5)


def test_what_only_a_new_interpreter_reads_is_refused() -> None:
    with pytest.raises(AssertionError, match="TZ"):
        forked.run(["--version"], env=ENV | {"TZ": "America/New_York"})


def test_one_may_wait_for_it_while_others_look(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as out:
        role = forked.start(["monitor"], env=ENV | CATALOG | NOWHERE, out=out)
    with ThreadPoolExecutor(2) as others:
        waiting = [others.submit(role.wait, 30) for _ in range(2)]
        while not all(each.running() for each in waiting):
            assert role.poll() is None
        looks = [role.poll() for _ in range(1_000)]
        role.kill()
        assert {each.result() for each in waiting} == {-signal.SIGKILL}
    assert set(looks) == {None}
