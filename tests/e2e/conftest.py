from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import pytest

from tests.e2e.databases import Templates
from tests.e2e.deployment import Deployment

Deploy: TypeAlias = Callable[..., Deployment]
_LIVE: list[Deployment] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the roles last said."""
    report = yield
    if report.failed:
        report.sections += [("logs of the roles", deployment.logs()) for deployment in _LIVE]
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


@pytest.fixture(scope="session")
def running(
    stack_settings: dict[str, str], templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """One process of each role, for tests that leave them alone."""
    with _deployer(stack_settings, templates, tmp_path_factory) as deploy:
        deployment = deploy(settings={"retry_delay_s": 1})
        deployment.start_all()
        yield deployment


@pytest.fixture(scope="module")
def deploy_for_module(
    stack_settings: dict[str, str], templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploy]:
    with _deployer(stack_settings, templates, tmp_path_factory) as deploy:
        yield deploy


@pytest.fixture
def deploy(
    stack_settings: dict[str, str], templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deploy]:
    """Makes deployments; see `Deployment` for what can be given. No role runs yet."""
    with _deployer(stack_settings, templates, tmp_path_factory) as deploy:
        yield deploy


@contextmanager
def _deployer(
    stack_settings: dict[str, str], templates: Templates, directories: pytest.TempPathFactory
) -> Iterator[Deploy]:
    with ExitStack() as made:

        def deploy(**options: Any) -> Deployment:
            directory = directories.mktemp("deployment")
            dsns = made.enter_context(templates.copies(f"{templates.name}_{directory.name}"))
            deployment = Deployment(stack_settings, dsns, directory, **options)
            made.callback(deployment.close)
            _LIVE.append(deployment)
            made.callback(_LIVE.remove, deployment)
            return deployment

        yield deploy
