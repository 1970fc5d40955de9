"""docs/history.md: its SQL runs as it stands, and its reader reads."""

import os
import re
import subprocess
import sys

import psycopg
import pytest

from processor.core.errors import Reason
from processor.core.history import Cleared, HistoryRecord, RequestState, Status
from stack.layout import REPO
from tests.integration.history.test_history import request_id
from tests.integration.history.told import TIMEOUT_S, Told
from tests.integration.store.records import DECIDED, outcome, request_status
from tests.integration.store.world import World

PAGE = (REPO / "docs" / "history.md").read_text(encoding="utf-8")
SCRIPT = REPO / "docs" / "examples" / "read_history.py"
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def records() -> list[HistoryRecord]:
    return [
        request_status(request_id(1), 2, reason="ticket 1"),
        outcome(request_id(1), "1001", Status.SENT),
        outcome(request_id(1), "1001"),
        outcome(request_id(1), "1002", Status.FAILED, reason=Reason.CONFLICT),
        request_status(request_id(2), 0, RequestState.REJECTED, district_id="RIVER"),
        request_status(request_id(3), 1),
        outcome(request_id(3), "1001", Status.SENT),
        outcome(request_id(3), "1001", district_id="RIVER"),
    ]


@pytest.fixture
def told_all(told: Told) -> Told:
    told.tell(*records(), Cleared(request_id(9), "NORTH", "PersonIdentity", "auditor", DECIDED, 3, "request"))
    return told


def answers(told: Told, number: int) -> list[dict[str, object]]:
    with psycopg.connect(told.dsn) as connection:
        found = connection.execute(QUERIES[number].encode())
        names = [column.name for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found]


def test_the_queries_answer_what_the_page_says(told_all: Told) -> None:
    [touched] = answers(told_all, 0)
    assert (touched["requested_by"], touched["request_reason"], touched["status"]) == ("clerk", "ticket 1", "APPLIED")
    assert touched["decided_at"] > DECIDED  # type: ignore[operator]
    [failed] = answers(told_all, 1)
    assert (failed["district_id"], failed["reason"], failed["keys"]) == ("NORTH", "CONFLICT", 1)
    assert [(row["request_id"], row["state"]) for row in answers(told_all, 2)] == [
        (request_id(2), "REJECTED"),
        (request_id(1), "COMPLETE_WITH_FAILURES"),
    ]
    assert [row["cleared_by"] for row in answers(told_all, 3)] == ["auditor"]
    assert len(QUERIES) == 4


def read(world: World, *arguments: str) -> list[list[str]]:
    env = {**os.environ, "RESYNC_BOOTSTRAP_SERVERS": world.bootstrap, "RESYNC_TOPIC_HISTORY": world.history}
    ended = subprocess.run(
        [sys.executable, SCRIPT, *arguments], env=env, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )
    assert ended.returncode == 0, ended.stderr
    return [line.split()[1:] for line in ended.stdout.splitlines()]


def test_the_reader_prints_what_became_of_a_record(world: World) -> None:
    world.transaction(*records())
    world.tombstone(request_id(1), f"{request_id(1)}/PersonIdentity/1002")
    found = read(world, "NORTH", "PersonIdentity", "1001")
    assert [line for line in found if line[0] == request_id(1)] == [[request_id(1), "SENT"], [request_id(1), "APPLIED"]]
    assert [line for line in found if line[0] != request_id(1)] == [[request_id(3), "SENT"]]
    assert read(world, "NORTH", "PersonIdentity", "7") == []


def test_the_reader_is_short() -> None:
    lines = [line.strip() for line in SCRIPT.read_text(encoding="utf-8").splitlines()]
    code = [line for line in lines if line and not line.startswith(("#", '"""', "import ", "from "))]
    assert len(code) <= 15
