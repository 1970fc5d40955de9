"""What somebody is told who waits, and who stops waiting."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
import typer

from processor.cli import following
from processor.cli.following import await_end, tell_result
from processor.cli.progress import Counting
from processor.cli.run_steps import RunFollower
from processor.core.errors import Reason
from processor.core.history import Count, RequestState, Status
from processor.service.follow import NotedOutcome, RequestResult, Standing
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


def ended(only_counted: int, *counts: Count) -> RequestResult:
    outcome = NotedOutcome("Enrollment", "7", None, Status.FAILED, Reason.PARENT_MISSING, "personID", (), None)
    return RequestResult(
        REQUEST_ID, "NORTH", "Enrollment", RequestState.COMPLETE_WITH_FAILURES, None, None, 100, counts, (outcome,),
        only_counted,
    )  # fmt: skip


MISSING = Count("FAILED", "PARENT_MISSING", 5)


def test_what_is_only_counted_is_not_said_to_be_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    tell_result(ended(90, MISSING, Count("IN_SYNC", None, 95)), stderr=True)
    told = capsys.readouterr().err.splitlines()
    assert f"… 9 more of 10 that are listed by: resync report {REQUEST_ID}" in told
    assert "90 keys IN_SYNC: only counted, not listed" in told
    tell_result(ended(90, Count("FAILED", "CONFLICT", 1)), stderr=True)
    told = capsys.readouterr().err.splitlines()
    assert not [line for line in told if "more:" in line or "only counted" in line], "of what may not be seen"


def test_a_missing_parent_is_told_with_what_sends_it_along(capsys: pytest.CaptureFixture[str]) -> None:
    tell_result(ended(0, MISSING), stderr=False)
    told = capsys.readouterr().out
    assert f"parents: resync submit --from-request {REQUEST_ID} --dependencies parents\n" in told
    assert f"What mends each failure: resync show {REQUEST_ID}\n" in told
    tell_result(ended(0, Count("FAILED", "CONFLICT", 5)), stderr=False)
    assert "--dependencies" not in capsys.readouterr().out


def test_why_nothing_moves_stands_beside_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int, str]] = []

    @contextmanager
    def bar(what: str) -> Iterator[Counting]:  # noqa: ARG001
        yield lambda done, total, note="": seen.append((done, total, note))

    monkeypatch.setattr(following, "counting", bar)
    again = Standing(RequestState.ACCEPTED, 20, 13, looked_at_again=7)
    for standing in (Standing(RequestState.HELD, 20, 5), Standing(RequestState.ACCEPTED, 20, 5), again):
        with pytest.raises(KeyboardInterrupt):
            await_end(Following(standing), [REQUEST_ID], None)
    assert seen == [(5, 20, "held"), (5, 20, ""), (13, 20, "looking again at 7 keys")]


@pytest.mark.parametrize("counts", [(), (Count("IN_SYNC", None, 1),)])
def test_that_nothing_matched_is_told(counts: tuple[Count, ...], capsys: pytest.CaptureFixture[str]) -> None:
    result = RequestResult(REQUEST_ID, "NORTH", "Enrollment", RequestState.COMPLETE, None, None, 0, counts, ())
    tell_result(result, stderr=True)
    assert ("nothing matched: there is no such record" in capsys.readouterr().err) is (not counts)
