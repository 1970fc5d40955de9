"""Where the demo's databases are: those of the local stack and no others, because the demo empties them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from stack import environment, roles
from stack.layout import Stack

DISTRICTS = ("NORTH", "RIVER", "LAKE")
STACK = Stack.default()
RESYNC = str(roles.console_script())


@dataclass(frozen=True, slots=True)
class Databases:
    """Connection strings of the state, of the history and of each district, and the broker's address."""

    state: str
    history: str
    districts: Mapping[str, str]
    bootstrap_servers: str


def find_databases() -> Databases:
    """Raises StackError if there is no stack."""
    settings = environment.read(STACK)
    return Databases(
        state=settings["RESYNC_STATE_DSN"],
        history=settings["RESYNC_HISTORY_DSN"],
        districts={d: settings[f"RESYNC_DISTRICT_DSN_{d}"] for d in DISTRICTS},
        bootstrap_servers=settings["RESYNC_BOOTSTRAP_SERVERS"],
    )


def command_environment() -> dict[str, str]:
    """The environment of a command that is to work on the stack."""
    return os.environ | environment.read(STACK)


def connect(dsn: str) -> psycopg.Connection:
    """A connection with autocommit, named `demo` so that its statements are not taken for a role's."""
    return psycopg.connect(dsn, autocommit=True, application_name="demo")
