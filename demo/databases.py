"""Where the demo's databases are: the settings of a running stack, from the environment or from its file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

DISTRICTS = ("NORTH", "RIVER", "LAKE")
STACK_DIR = Path(os.environ.get("STACK_DIR", ".local"))


class StackMissing(Exception):
    """No stack is described here; `make up` describes one."""


@dataclass(frozen=True, slots=True)
class Databases:
    """Connection strings of the state, of the history and of each district."""

    state: str
    history: str
    districts: Mapping[str, str]


def read_environment(stack_dir: Path = STACK_DIR) -> dict[str, str]:
    """This process's environment over `stack.env`, so that a variable set by hand wins."""
    file = stack_dir / "stack.env"
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.removeprefix("export ").partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs} | dict(os.environ)


def find_databases(environment: Mapping[str, str]) -> Databases:
    try:
        return Databases(
            state=environment["RESYNC_STATE_DSN"],
            history=environment["RESYNC_HISTORY_DSN"],
            districts={d: environment[f"RESYNC_DISTRICT_DSN_{d}"] for d in DISTRICTS},
        )
    except KeyError as missing:
        raise StackMissing(
            f"{missing.args[0]} is not set and {STACK_DIR}/stack.env does not set it: run `make up`"
        ) from None


def connect(dsn: str) -> psycopg.Connection:
    """A connection with autocommit, named `demo` so that its statements are not taken for a role's."""
    return psycopg.connect(dsn, autocommit=True, application_name="demo")
