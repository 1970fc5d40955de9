"""What somebody is told who waits, and who stops waiting."""

from collections.abc import Mapping, Sequence

import pytest
import typer

from processor.cli.following import await_end
from processor.cli.run_steps import RunFollower
from processor.core.history import RequestState
from processor.service.follow import RequestResult, Standing
from tests.unit.cli.test_run_told import FIRST, RUN_ID

REQUEST_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
AGAIN = f"resync verify --district NORTH --object Enrollment --request-id {REQUEST_ID}"


class Following:
    """Stands as given; interrupted at the second look."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._looks = 0

    def standings(self, wait_s: float) -> Mapping[str, Standing]:  # noqa: ARG002
        self._looks += 1
        if self._looks > 1:
            raise KeyboardInterrupt
        return {REQUEST_ID: self._standing}

    def results(self) -> Sequence[RequestResult]:
        return []


@pytest.mark.parametrize(
    ("standing", "sent_by", "says"),
    [
        (Standing(), None, "nothing is known of it: the id may be mistyped, or it is not taken on yet."),
        (Standing(), AGAIN, f"what was asked for was sent and goes on without you; look again with: {AGAIN}\n"),
        (Standing(RequestState.ACCEPTED), None, f"goes on without you; see it again with: resync watch {REQUEST_ID}\n"),
    ],
)
def test_who_stops_waiting_is_told_that_it_goes_on(
    standing: Standing, sent_by: str | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        await_end(Following(standing), [REQUEST_ID], None, sent_by)
    told = capsys.readouterr().err
    assert says in told
    with pytest.raises(typer.Exit):
        await_end(Following(standing), [REQUEST_ID], 0.0, sent_by)
    assert says in capsys.readouterr().err


class Interrupted:
    """Queries during which somebody presses Ctrl-C."""

    def __getattr__(self, name: str) -> None:
        raise KeyboardInterrupt


def test_who_stops_waiting_for_a_run_is_told_how_to_see_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    from processor.cli.person import Person

    with pytest.raises(KeyboardInterrupt):
        RunFollower(Interrupted(), Person("clerk"), FIRST).follow(None)  # type: ignore[arg-type]
    told = capsys.readouterr().err
    assert "the run was sent and goes on without you; see it again with: resync run --district NORTH" in told
    assert told.endswith(f"--run-id {RUN_ID}\n")
