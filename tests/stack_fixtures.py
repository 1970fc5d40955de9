"""The one stack of a test run. Tests make topics and databases of their own on it."""

import os
from collections.abc import Generator, Iterator

import pytest

from stack import environment, kafka, process, services
from stack.layout import Stack
from stack.testing import temporary_stack

_RUNNING: list[Stack] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the broker last said."""
    report = yield
    if report.failed:
        report.sections += [("the broker", process.log_tail(each, kafka.NAME)) for each in _RUNNING]
    return report


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Kafka, registry, the state's Postgres and one for each of NORTH, RIVER and LAKE.

    `RESYNC_TEST_STACK` names the directory of a stack to use instead; it is then left running.
    """
    if directory := os.environ.get("RESYNC_TEST_STACK"):
        running = Stack.at(directory)
        services.start_all(running)
        yield running
    else:
        with temporary_stack() as made:
            _RUNNING.append(made)
            yield made
            _RUNNING.clear()


@pytest.fixture(scope="session")
def stack_settings(stack: Stack) -> dict[str, str]:
    """What stack.env says: `RESYNC_BOOTSTRAP_SERVERS`, `RESYNC_STATE_DSN` and so on."""
    return environment.read(stack)
