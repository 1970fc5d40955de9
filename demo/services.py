"""Starts the stack, and stops and starts a district's database, with the stack's own command."""

import subprocess
import sys
from collections.abc import Mapping


def start_stack() -> None:
    _stack("up")


def stop_database(environment: Mapping[str, str], district_id: str) -> None:
    _stack("stop", district_id, environment=environment)


def start_database(environment: Mapping[str, str], district_id: str) -> None:
    _stack("start", district_id, environment=environment)


def _stack(*arguments: str, environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(
        [sys.executable, "-m", "stack", *arguments], env=None if environment is None else dict(environment), check=True
    )
