"""The proof where there is nothing to prove: one line that says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo import prove as demo_prove
from demo.databases import Databases
from stack.errors import StackError
from stack.layout import REPO

NOBODY = "host=127.0.0.1 port=1"


def prove(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo.prove", *arguments],
        cwd=REPO,
        env=os.environ | {"STACK_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", [(), ("--self-test",)])
def test_without_a_stack(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = prove(tmp_path / "none", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Nothing was proved: ")
    assert "make up" in done.stderr
    assert done.stderr.count("\n") == 1


def test_with_a_stack_that_does_not_run(tmp_path: Path) -> None:
    names = (
        "RESYNC_STATE_DSN",
        "RESYNC_HISTORY_DSN",
        *(f"RESYNC_DISTRICT_DSN_{d}" for d in ("NORTH", "RIVER", "LAKE")),
    )
    lines = [f"{name}='{NOBODY}'" for name in names]
    (tmp_path / "stack.env").write_text("\n".join([*lines, "RESYNC_BOOTSTRAP_SERVERS=127.0.0.1:1"]))
    done = prove(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Nothing was proved: a database does not answer, `make up` starts it")
    assert done.stderr.count("\n") == 1


def test_the_self_test_refuses_what_is_disproved_already(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo_prove, "prove", lambda _databases: ["what nobody asked for differs still: NORTH 1021"])
    with pytest.raises(StackError, match="disproved already: what nobody asked for differs still: NORTH 1021; `make"):
        demo_prove.self_test(Databases(NOBODY, NOBODY, {}, "127.0.0.1:1"))
    assert capsys.readouterr().out == "", "nothing was tampered with"
