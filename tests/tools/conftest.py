"""Tools that no wheel brings. A test that needs one fails without it, and says how to install it; none is skipped."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.e2e.conftest import pytest_runtest_makereport, pytest_terminal_summary, running, shared, templates
from tests.tools.chart import EXAMPLES, OPTIONS, Rendered, render

__all__ = ["pytest_runtest_makereport", "pytest_terminal_summary", "running", "shared", "templates"]

Tool: TypeAlias = Callable[[str], str]

TOOLS = Path(os.environ.get("TOOLS", Path.home() / ".cache" / "selective-sync" / "tools"))
"""Where `make tools` installs."""
INSTALL = {
    "promtool": "apt-get install prometheus",
    "prometheus": "apt-get install prometheus",
    "helm": "make tools",
    "kubernetes-validate": "make tools",
    "docker-compose": "apt-get install docker-compose",
    "node": "apt-get install nodejs npm",
    "kcat": "apt-get install kcat",
}
PLACES = (str(TOOLS / "bin"), os.environ.get("PATH", ""))


@pytest.fixture(scope="session")
def tool() -> Tool:
    """The path of a program by its name."""

    def find(name: str) -> str:
        if (found := shutil.which(name, path=os.pathsep.join(PLACES))) is None:
            pytest.fail(f"{name} is not installed: `{INSTALL[name]}`", pytrace=False)
        return found

    return find


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Packages that validate custom resources."""
    found = TOOLS / "node_modules"
    if not (found / "@kubernetes-models" / "keda").is_dir():
        pytest.fail(f"{found} lacks the schemas of custom resources: `make tools`", pytrace=False)
    return found


@pytest.fixture(scope="session")
def helm(tool: Tool) -> str:
    return tool("helm")


@pytest.fixture(scope="session", params=[*EXAMPLES, "with all options"])
def example(request: pytest.FixtureRequest, helm: str) -> Rendered:
    return render(helm, request.param) if request.param in EXAMPLES else render(helm, "secured", OPTIONS)


@pytest.fixture(scope="session")
def small(helm: str) -> Rendered:
    return render(helm, "small")


@pytest.fixture(scope="session")
def secured(helm: str) -> Rendered:
    return render(helm, "secured")
