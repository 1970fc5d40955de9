"""What `resync replay --verify` says of what it compared."""

import pytest
import typer

from processor.cli.exits import ExitCode
from processor.cli.replay import tell_verified
from processor.service.rebuild import Replayed
from processor.service.verify_replay import Divergence, Verified

REPLAYED = Replayed(records=3, skipped=0, offsets={})


@pytest.mark.parametrize(
    ("unjudged", "told"),
    [
        (0, "compared 2 rows with 3 records: they agree\n"),
        (1, "compared 2 rows with 3 records: what could be judged agrees\n"),
    ],
)
def test_that_both_agree_is_said(capsys: pytest.CaptureFixture[str], unjudged: int, told: str) -> None:
    tell_verified(Verified(REPLAYED, compared=2, unjudged=unjudged, divergences=0, first=None))
    assert capsys.readouterr().out == told


def test_a_difference_is_said_and_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    first = Divergence("outcome", ("a", "b"), "differs", ("status",), "resync.history", 4)
    with pytest.raises(typer.Exit) as ended:
        tell_verified(Verified(REPLAYED, compared=2, unjudged=0, divergences=1, first=first))
    assert ended.value.exit_code == ExitCode.DIFFERENT
    assert capsys.readouterr().out == (
        "compared 2 rows with 3 records\n"
        "1 row differs; the first: outcome a / b: differs in status (partition 4 of resync.history)\n"
    )
