"""The console script itself, without any service: help, usage, configuration, and what cannot be reached."""

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from processor.cli.main import COMMANDS
from stack.layout import REPO
from tests import forked

SUBMIT = ("submit", "--district", "NORTH", "--object", "PersonIdentity")
RESYNC = Path(sys.executable).with_name("resync")
CATALOG = str(REPO / "demo" / "catalog.yaml")


ENV = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")}


def resync(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([RESYNC, *arguments], env=ENV | settings, capture_output=True, text=True, check=False)


def test_help_lists_the_commands_and_answers_at_once() -> None:
    seconds = []
    for _ in range(5):
        started = monotonic()
        shown = resync("--help")
        seconds.append(monotonic() - started)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert [name for name in COMMANDS if f"  {name} " not in shown.stdout] == []
    assert min(seconds) < 0.4


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    shown = resync(command, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"Usage: resync {command}")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("sumbit",), "Did you mean 'submit'"),
        (("submit",), "--district"),
        (("submit", "--district", "NORTH", "--object", "PersonIdentity"), "no keys"),
        (("submit", "--district", "NORTH", "--object", "PersonIdentity", "--mode", "foo", "1"), "--mode"),
        (("submit", "--district", "NORTH", "--object", "PersonIdentity", "--request-id", "7", "1"), "a uuid"),
        (
            ("submit", "--district", "NORTH", "--object", "PersonIdentity", "--dry-run", "--wait", "1"),
            "--dry-run sends nothing",
        ),
        ((*SUBMIT, "--all", "--dry-run"), "--dry-run is for keys: resync verify with the same --district, --object"),
        ((*SUBMIT, "--all", "1"), "KEYS and --all: each says which records are meant"),
        ((*SUBMIT, "--all", "--where", "key = 1"), "--all and --where"),
        ((*SUBMIT, "--school-year", "2027", "1"), "--school-year goes with --all or --where"),
        ((*SUBMIT, "--status", "failed", "1"), "--from-request REQUEST"),
        (("submit", "--all", "--object", "PersonIdentity"), "--district is missing"),
        (("submit", "--from-request", "7"), "a uuid"),
        ((*SUBMIT, "--where", ""), "filter, position 1: it is empty"),
        ((*SUBMIT, "--where", "lastNam = 'x'"), "filter, position 1: lastNam is unknown"),
        ((*SUBMIT, "--all", "--school-year", "2027"), "PersonIdentity has no school year"),
        (("verify", *SUBMIT[1:], "--school-year", "abc"), "--school-year: a year in digits is needed"),
        (("verify", "--district", "NROTH", "--object", "PersonIdentity"), "no district NROTH; it has LAKE, NORTH"),
        (("run", "--district", "NORTH", "--object", "Pupil"), "no object Pupil; it has Behavior, "),
        (("submit", "--district", "NORTH", "--object", "Pupil", "1"), "no object Pupil; it has Behavior, "),
        (("find", "NROTH", "PersonIdentity", "--where", "key = 1"), "no district NROTH; it has LAKE, NORTH"),
        (("verify", *SUBMIT[1:], "--where", "key = 'x'"), "filter, position 7: key needs a number without quotes"),
        (("run", *SUBMIT[1:], "--where", "key = 1 or"), "filter, position 11"),
        (("run", *SUBMIT[1:], "--run-id", "nightly"), "--run-id: a uuid"),
        (("find", "NORTH", "PersonIdentity"), "--where"),
        (("show", "7"), "a uuid"),
        (("history", "--since", "yesterday"), "--since"),
        (("history",), "RESYNC_HISTORY_DSN"),
        (("replay",), "RESYNC_HISTORY_DSN"),
        (("verify", *SUBMIT[1:]), "RESYNC_HISTORY_DSN"),
    ],
)
def test_usage_and_configuration_exit_with_2(arguments: tuple[str, ...], says: str) -> None:
    ended = forked.run(arguments, env=ENV | {"RESYNC_CATALOG": CATALOG})
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_standard_stream_is_an_empty_one(closed: str) -> None:
    keys = "submit --district NORTH --object PersonIdentity -"
    ended = subprocess.run(
        ["sh", "-c", f'"{RESYNC}" {keys} {closed}'],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "unexpected" not in ended.stderr
    assert ("no keys" in ended.stderr) == (closed != "2>&-")


def test_all_wrong_settings_are_listed_at_once() -> None:
    ended = resync("topics", "check", RESYNC_ORDINAL="-1", RESYNC_PARTITIONS="many")
    assert ended.returncode == 2
    assert "RESYNC_ORDINAL" in ended.stderr
    assert "RESYNC_PARTITIONS" in ended.stderr


def test_a_role_says_why_it_ends_as_json() -> None:
    ended = resync("process", RESYNC_ORDINAL="-1")
    assert ended.returncode == 2
    assert all(line.startswith("{") and line.endswith("}") for line in ended.stderr.splitlines())
    assert "RESYNC_ORDINAL" in ended.stderr


@pytest.mark.parametrize(
    ("settings", "arguments", "says"),
    [
        (
            {"RESYNC_BOOTSTRAP_SERVERS": "127.0.0.1:1"},
            ("submit", "--district", "NORTH", "--object", "PersonIdentity", "1"),
            "nobody listens there",
        ),
        ({"RESYNC_BOOTSTRAP_SERVERS": "nowhere.invalid:1"}, ("topics", "check"), "name is unknown"),
        ({"RESYNC_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, ("replay", "--export"), "check RESYNC_BOOTSTRAP_SERVERS"),
        (
            {"RESYNC_CATALOG": CATALOG, "RESYNC_DISTRICT_DSN_NORTH": "postgresql://127.0.0.1:1/north"},
            ("find", "NORTH", "PersonIdentity", "--where", "city = 'X'"),
            "resync: district NORTH: cannot be reached; `resync doctor` says what to mend",
        ),
        ({"RESYNC_HISTORY_DSN": "postgresql://127.0.0.1:1/history"}, ("history",), "refused"),
    ],
)
def test_what_cannot_be_reached_exits_with_4_and_one_line(
    settings: dict[str, str], arguments: tuple[str, ...], says: str
) -> None:
    ended = resync(*arguments, **settings)
    assert ended.returncode == 4
    assert len(ended.stderr.splitlines()) == 1
    assert says in ended.stderr
