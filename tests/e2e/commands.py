"""The console script as people run it against a deployment."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from stack.layout import REPO
from tests import forked
from tests.e2e.deployment import Deployment

TIMEOUT_S = forked.TIMEOUT_S


def environment(deployment: Deployment, **settings: str | None) -> dict[str, str]:
    """`settings` are whole names of variables; None takes one away."""
    env = {**os.environ, **deployment.env, **{name: value for name, value in settings.items() if value is not None}}
    return {name: value for name, value in env.items() if settings.get(name, "") is not None}


def run(
    deployment: Deployment, *arguments: object, stdin: str = "", settings: Mapping[str, str | None] | None = None
) -> subprocess.CompletedProcess[str]:
    return forked.run([*map(str, arguments)], env=environment(deployment, **(settings or {})), stdin=stdin)


def run_example(
    deployment: Deployment, command: Sequence[object], *arguments: object
) -> subprocess.CompletedProcess[str]:
    """A program of docs/examples, as the page tells to run it."""
    return subprocess.run(
        [*map(str, command), *map(str, arguments)],
        env=environment(deployment),
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def submit(deployment: Deployment, *arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """Of persons of NORTH."""
    return run(deployment, "submit", "--district", "NORTH", "--object", "PersonIdentity", *arguments, **more)
