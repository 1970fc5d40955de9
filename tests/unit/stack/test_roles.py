"""What `make up` starts, and what `make status` tells of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from processor.metrics import ROLES
from stack import cli, config, roles
from stack.layout import REPO, Stack


def test_every_role_is_started() -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("ROLES", "MAKEFLAGS")}
    told = subprocess.run(["make", "-n", "up"], cwd=REPO, env=env, capture_output=True, text=True, check=True).stdout
    [wanted] = [line.partition('--roles "')[2].rstrip('"') for line in told.splitlines() if "--roles" in line]
    assert roles.parse(wanted) == dict.fromkeys(ROLES, 1)


def test_the_status_tells_at_which_port_a_role_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack.at(tmp_path)
    config.save(stack, config.Config(base=20_000, ports={"kafka": 20_001}))
    stack.run_dir.mkdir(parents=True, exist_ok=True)
    for name in ("process-1", "monitor-0", "postgres-GONE"):
        (stack.run_dir / f"{name}.pid").write_text("0")
    monkeypatch.setattr(sys, "argv", ["stack", "--dir", str(tmp_path), "status"])
    assert cli.main() == 0
    told = {line.split()[0]: line.partition("port ")[2] for line in capsys.readouterr().out.splitlines()}
    assert (told["kafka"], told["process-1"], told["postgres-GONE"]) == ("20001", "20051", "")
    assert told["monitor-0"].isdecimal()


def test_a_reader_that_has_gone_disturbs_nothing(tmp_path: Path) -> None:
    """`make status | head -1`, without the race for who is first."""
    config.save(Stack.at(tmp_path), config.Config(base=20_000, ports={"kafka": 20_001}))
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "stack", "--dir", str(tmp_path), "status"]
    with os.fdopen(writing) as gone:
        told = subprocess.run(command, cwd=REPO, stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


def test_the_list_of_targets_is_aligned() -> None:
    told = subprocess.run(["make", "help"], cwd=REPO, capture_output=True, text=True, check=True).stdout
    assert {len(found) for found in re.findall(r"^  make [a-z-]+ +", told, re.MULTILINE)} == {20}
