import subprocess
import sys
from pathlib import Path

import pytest

from bench.options import GROUPS, parse
from stack.layout import REPO


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--keys 0", "'0' is not a whole number from 100 to 2,000,000"),
        ("--keys -5", "'-5' is not a whole number"),
        ("--keys 1e9", "'1e9' is not a whole number"),
        ("--keys 1_000", "'1_000' is not a whole number"),
        ("--keys ٣", "is not a whole number"),
        ("--keys", "expected one argument"),
        ("--rows 999", "from 1,000 to 10,000,000"),
        ("--repeats 0", "from 1 to 100"),
        (f"--repeats {'9' * 5_000}", "from 1 to 100"),
        ("--seconds 0", "from 1 to 600"),
        ("--seed -1", "--seed"),
        ("--only throughput", "invalid choice: 'throughput'"),
        ("--only", "expected at least one argument"),
        ("--key 5", "unrecognized arguments: --key 5"),
        ("--frob", "unrecognized arguments: --frob"),
        ("extra", "unrecognized arguments: extra"),
        (
            "--keys 910 --rows 1000",
            "--keys 910: with a tenth more to get warm, all of distinct rows, and --rows is 1000",
        ),
        ("--output /", "--output /: not a file"),
        ("--output /no/such/folder/file", "not a file in a folder that exists"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_refusal_starts_nothing_and_is_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--keys", "0"], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("python -m bench: error: argument --keys: '0' is not")
    assert "Traceback" not in done.stderr


def test_the_command_given_with_a_scenario_is_taken_again(tmp_path: Path) -> None:
    options = parse(["--quick", "--keys", "200", "--no-peers", "--output", str(tmp_path / "figures")])
    _, _, _, *arguments = options.command("latency").split()
    again = parse(arguments)
    assert (again.quick, again.keys, again.rows, again.repeats, again.seconds) == (True, 200, 20_000, 1, 1)
    assert (again.seed, again.peers, again.only) == (options.seed, False, ("latency",))


def test_all_is_measured_where_nothing_is_chosen() -> None:
    assert parse([]).only == GROUPS
    assert parse(["--only", "growth", "growth"]).only == ("growth",)
