"""The applier is replaceable: another one answers, or applies in silence, or does nothing at all."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from stack.layout import REPO
from tests.e2e.deployment import Deployment
from tests.e2e.people import assert_same, persons, rename

EXAMPLE = REPO / "docs" / "examples" / "foreign_applier.py"
Run: TypeAlias = Callable[[Deployment], None]


@pytest.fixture
def run_foreign() -> Iterator[Run]:
    running: list[subprocess.Popen[bytes]] = []

    def run(deployment: Deployment) -> None:
        with (deployment.directory / "foreign.log").open("wb") as log:
            env = {**os.environ, **deployment.env}
            running.append(subprocess.Popen([sys.executable, EXAMPLE], env=env, stdout=log, stderr=log))

    yield run
    for process in running:
        process.kill()
        process.wait(10)


def test_a_foreign_applier_closes_the_loop(deploy: Callable[..., Deployment], run_foreign: Run) -> None:
    deployment = deploy()
    deployment.start_all(("process", "store"))
    run_foreign(deployment)
    drifted, missing = deployment.take_keys(20), deployment.take_keys(20)
    persons(deployment, "NORTH", drifted)
    rename(deployment, "NORTH", drifted)
    persons(deployment, "NORTH", missing, there=False)

    asked = deployment.submit("NORTH", "PersonIdentity", [*drifted, *missing])
    deployment.watcher.until_ended([asked])

    assert deployment.watcher.story(asked).counts() == {"APPLIED": 40}
    assert_same(deployment, "NORTH", [*drifted, *missing])


def test_an_applier_that_applies_and_never_answers_is_seen_to_have_applied(deploy: Callable[..., Deployment]) -> None:
    deployment = deploy(limits={"answer_deadline_s": 2, "max_attempts": 2}, settings={"retry_delay_s": 0.5})
    deployment.start_all(("process", "store"))
    applied, ignored = deployment.take_keys(2)
    persons(deployment, "NORTH", [applied, ignored])
    rename(deployment, "NORTH", [applied, ignored])

    asked = deployment.submit("NORTH", "PersonIdentity", [applied, ignored])
    deployment.watcher.until(lambda: len(deployment.watcher.corrections) == 2, "both corrections")
    deployment.rows(
        "state", "update state_person set legal_last_name = 'Drifted' where district_person_id = %s", [applied]
    )
    deployment.watcher.until_ended([asked], 60)

    story = deployment.watcher.story(asked)
    assert story.counts() == {"APPLIED SEEN_EQUAL": 1, "FAILED NO_ANSWER": 1}
    assert story.last(applied).status == "APPLIED"
    assert not deployment.watcher.answers
