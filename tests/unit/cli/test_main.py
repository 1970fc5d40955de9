import subprocess
import sys

import pytest
from typer.main import get_command

from processor.cli.main import app

ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("history", "--status", "done"), "'--status': 'done' is not one of 'ACCEPTED', 'REJECTED',"),
        (("report", ID, "--status", "DONE"), "'--status': 'DONE' is not one of 'NOT_FOUND', 'IN_SYNC',"),
        (("report", ID, "--reason", "x"), "'--reason': 'x' is not one of 'EXPECTED_DIFFERENCE', 'FORCED',"),
        (("replay", "--export", "--format", "x"), "'--format': 'x' is not one of 'ndjson', 'csv', 'parquet'."),
        (("submit", "--mode", "x"), "'--mode': 'x' is not one of 'sync', 'force', 'verify'."),
        (("history", "--limit", "x"), "'--limit': "),
    ],
)
def test_a_value_that_cannot_be_is_told_without_a_class_s_name_and_with_choices_as_they_are_shown(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        get_command(app)(command, prog_name="resync")
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"Invalid value for {told}" in said
    assert "Value error" not in said


def test_a_command_s_end_leaves_alone_what_is_still_there() -> None:
    """The collector would walk through all that was imported, a tenth of a second."""
    program = (
        "import atexit, gc, sys; from processor.cli.main import main;"
        "atexit.register(lambda: print(gc.get_freeze_count() > 0));"
        "sys.argv = ['resync', '--version']; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[1:] == ["True"]
