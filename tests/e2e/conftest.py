from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from tests.e2e.databases import Templates
from tests.e2e.deployment import Deployment
from tests.e2e.diagnosis import alter

Deploy: TypeAlias = Callable[..., Deployment]
READ_SETTINGS = {"statement_timeout_s": 2, "connect_timeout_s": 1, "retry_delay_s": 1}


@dataclass(slots=True)
class Deployments:
    """Makes deployments and takes them away again; those that tests share, once one has failed."""

    stack_settings: dict[str, str]
    templates: Templates
    directories: pytest.TempPathFactory
    are_shared: bool = False
    made: ExitStack = field(default_factory=ExitStack)
    live: list[Deployment] = field(default_factory=list)

    def make(self, **options: Any) -> Deployment:
        directory = self.directories.mktemp("deployment")
        dsns = self.made.enter_context(self.templates.copies(f"{self.templates.name}_{directory.name}"))
        deployment = Deployment(self.stack_settings, dsns, directory, **options)
        self.made.callback(deployment.close)
        self.live.append(deployment)
        return deployment

    def close(self) -> None:
        self.live.clear()
        self.made.close()


_ALL: list[Deployments] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the roles last said; what it leaves behind is no later test's trouble."""
    report = yield
    if report.failed:
        report.sections += [("logs of the roles", each.logs()) for own in _ALL for each in own.live]
        for own in _ALL:
            if own.are_shared:
                own.close()
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests measured, by `record_property`."""
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.getreports(outcome)]
    measured = [r for r in reports if r.when == "call" and r.user_properties]
    if measured:
        terminalreporter.section("measured")
    for report in measured:
        figures = ", ".join(f"{name} {value}" for name, value in report.user_properties)
        terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {figures}")


@pytest.fixture(scope="session")
def templates(stack_settings: dict[str, str]) -> Iterator[Templates]:
    made = Templates.make(stack_settings)
    yield made
    made.drop()


@contextmanager
def deployments(
    stack_settings: dict[str, str], templates: Templates, directories: pytest.TempPathFactory, *, are_shared: bool
) -> Iterator[Deployments]:
    own = Deployments(stack_settings, templates, directories, are_shared)
    _ALL.append(own)
    yield own
    _ALL.remove(own)
    own.close()


@pytest.fixture(scope="session")
def shared(
    stack_settings: dict[str, str], templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployments]:
    with deployments(stack_settings, templates, tmp_path_factory, are_shared=True) as own:
        yield own


@pytest.fixture(scope="module")
def of_file(
    stack_settings: dict[str, str], templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployments]:
    """What the tests of one file share."""
    with deployments(stack_settings, templates, tmp_path_factory, are_shared=True) as own:
        yield own


@pytest.fixture
def running(shared: Deployments) -> Deployment:
    """A deployment with one process of each role, shared by all tests that pass on it."""
    deployment = shared.live[0] if shared.live else shared.make(settings=READ_SETTINGS)
    deployment.start_missing()
    return deployment


@pytest.fixture
def patient(running: Deployment) -> Deployment:
    """A running deployment that the doctor finds well: with room for dead letters, as `topics create` gives it."""
    alter(running, running.topics.dead_letters, max_message_bytes="2097152")
    return running


@pytest.fixture
def deploy(
    stack_settings: dict[str, str], templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploy]:
    """Makes deployments of the test's own; see `Deployment` for what can be given. No role runs yet."""
    with deployments(stack_settings, templates, tmp_path_factory, are_shared=False) as own:
        yield own.make
