"""stack.env: the settings with which roles, the command line and tests find the stack."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from stack import config, kafka, postgres, registry
from stack.errors import StackError
from stack.layout import REPO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stack.layout import Stack


def settings(stack: Stack, environ: Mapping[str, str]) -> dict[str, str]:
    """What stack.env holds; catalog and schemas are the repository's unless `environ` names others."""
    districts = {
        f"RESYNC_DISTRICT_DSN_{re.sub('[^A-Z0-9]', '_', district.upper())}": postgres.dsn(stack, district)
        for district in config.existing(stack).districts
    }
    return {
        # Who asks about the roles' groups must know their names.
        "RESYNC_RELEASE": "local",
        "RESYNC_BOOTSTRAP_SERVERS": kafka.bootstrap_servers(stack),
        "RESYNC_REGISTRY_URL": registry.url(stack),
        "RESYNC_HISTORY_DSN": postgres.dsn(stack, "state", "history"),
        "RESYNC_STATE_DSN": postgres.dsn(stack, "state", "state"),
        **districts,
        "RESYNC_CATALOG": environ.get("RESYNC_CATALOG") or str(REPO / "demo" / "catalog.yaml"),
        # One machine: every partition that a transaction touches costs a millisecond.
        "RESYNC_PARTITIONS": environ.get("RESYNC_PARTITIONS") or "6",
        "RESYNC_HISTORY_PARTITIONS": environ.get("RESYNC_HISTORY_PARTITIONS") or "6",
        "RESYNC_SCHEMAS": environ.get("RESYNC_SCHEMAS") or str(REPO / "schemas"),
    }


def write(stack: Stack, environ: Mapping[str, str]) -> None:
    lines = [f"{key}={shlex.quote(value)}\n" for key, value in settings(stack, environ).items()]
    unfinished = stack.env_file.with_suffix(".part")
    unfinished.write_text("".join(lines))
    unfinished.replace(stack.env_file)


def read(stack: Stack) -> dict[str, str]:
    try:
        text = stack.env_file.read_text()
    except FileNotFoundError:
        raise StackError(f"{stack.env_file} is missing: make up writes it") from None
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: "".join(shlex.split(value)) for key, _, value in pairs}
