"""The one stack of a test run. Tests make topics and databases of their own on it."""

import os
from collections.abc import Generator, Iterator

import psycopg
import pytest

from stack import config, environment, kafka, postgres, process, services
from stack.layout import Stack
from stack.testing import folder_in_memory, temporary_stack

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
        with temporary_stack(parent=folder_in_memory()) as made:
            _RUNNING.append(made)
            trust_the_machine(made)
            yield made
            _RUNNING.clear()


def trust_the_machine(stack: Stack) -> None:
    """No Postgres waits for the disk: what is committed survives a kill all the same, but no loss of power.

    A database that a test drops is a checkpoint, of a second on a busy disk and of 0.05 s without.
    """
    for server in ("state", *config.existing(stack).districts):
        with psycopg.connect(postgres.dsn(stack, server, "postgres"), autocommit=True) as connection:
            connection.execute("alter system set fsync = off")
            connection.execute("alter system set max_wal_size = '64MB'")  # what is in memory stays small
            connection.execute("select pg_reload_conf()")


@pytest.fixture(scope="session")
def stack_settings(stack: Stack) -> dict[str, str]:
    """What stack.env says: `RESYNC_BOOTSTRAP_SERVERS`, `RESYNC_STATE_DSN` and so on."""
    return environment.read(stack)
