from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stack import config, environment, postgres, roles
from stack.errors import StackError
from stack.layout import Stack
from stack.process import Account


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    stack = Stack.at(tmp_path / "with blank")
    config.save(
        stack, config.choose(None, {"RESYNC_DISTRICTS": "NORTH,south-1"}, (), claim=lambda _: True, free=lambda _: True)
    )
    return stack


def test_settings_are_read_back_as_written(stack: Stack) -> None:
    environment.write(stack, {"RESYNC_CATALOG": "/a b/it's.yaml"})
    settings = environment.read(stack)
    assert settings["RESYNC_CATALOG"] == "/a b/it's.yaml"
    assert settings["RESYNC_BOOTSTRAP_SERVERS"] == "127.0.0.1:19000"
    assert settings["RESYNC_DISTRICT_DSN_SOUTH_1"] == "postgresql://postgres@127.0.0.1:19012/south-1"
    assert settings["RESYNC_HISTORY_DSN"] == "postgresql://postgres@127.0.0.1:19010/history"
    assert Path(settings["RESYNC_SCHEMAS"]).name == "schemas"


def test_the_shell_reads_the_same(stack: Stack) -> None:
    environment.write(stack, {"RESYNC_CATALOG": "/a b/it's.yaml"})
    command: list[str | Path] = ["sh", "-c", '. "$0"; printf %s "$RESYNC_CATALOG"', stack.env_file]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "/a b/it's.yaml"


def test_a_role_is_told_who_it_is(stack: Stack) -> None:
    environment.write(stack, {})
    environ = roles.environ_of(stack, "apply", 2)
    assert environ["RESYNC_ORDINAL"] == "2"
    assert environ["RESYNC_RELEASE"] == environment.read(stack)["RESYNC_RELEASE"]
    assert environ["RESYNC_RELEASE"] == "local"
    assert environ["RESYNC_STATE_DSN"].endswith("/state")
    assert environ["RESYNC_READY_FILE"] == str(stack.run_dir / "apply-2.ready")


def test_roles_and_their_numbers() -> None:
    assert roles.parse("process:2, apply,store") == {"process": 2, "apply": 1, "store": 1}
    assert roles.parse("") == {}
    with pytest.raises(StackError, match="process:x"):
        roles.parse("process:x")


def test_an_account_may_enter_only_what_every_directory_allows(tmp_path: Path) -> None:
    stranger = Account(uid=64_000, gid=64_000)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    tmp_path.chmod(0o711)
    below = [path for path in (inner, *inner.parents) if path.is_relative_to(tmp_path)]
    assert all(postgres.may_pass(path.stat(), stranger) for path in below)
    (tmp_path / "a").chmod(0o700)
    assert not postgres.may_enter(inner, stranger)
