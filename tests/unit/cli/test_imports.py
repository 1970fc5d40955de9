"""What a command's start does not wait for: importing these took most of it once (ADR 0065)."""

import os
import subprocess
import sys
from pathlib import Path

from processor.cli.exits import ExitCode
from processor.cli.main import COMMANDS, ROLES

DEMO = Path(__file__).parents[3] / "demo" / "catalog.yaml"
CLIENTS = ("confluent_kafka", "psycopg", "prometheus_client", "structlog")
WRITERS = ("rich", "fpdf", "xlsxwriter", "pyarrow")
CATALOG = ("yaml", "processor.catalog_file", "processor.settings")


def imported(code: str, expected: ExitCode, *arguments: str, **variables: str) -> frozenset[str]:
    """The names of all modules that a new interpreter has at its end."""
    told = "import atexit, sys; atexit.register(lambda: print(*sys.modules));"
    env = {name: value for name, value in os.environ.items() if not name.startswith("RESYNC_")} | variables
    done = subprocess.run(
        [sys.executable, "-c", told + code, *arguments], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == expected, done.stderr
    return frozenset(done.stdout.split())


def test_the_list_of_commands_loads_none_of_them() -> None:
    found = imported("from processor.cli.main import main; main()", ExitCode.DONE, "--help")
    assert not found & {*CLIENTS, *WRITERS, *CATALOG, "fastavro", "pydantic", "processor.core"}


def test_commands_are_loaded_without_what_only_some_of_them_need() -> None:
    """But for `replay`, which does what roles do."""
    names = ", ".join(repr(name) for name in COMMANDS if name not in {*ROLES, "replay"})
    code = f"from processor.cli.main import COMMANDS, _load; [_load(name, COMMANDS[name]) for name in ({names})]"
    assert not imported(code, ExitCode.DONE) & {*CLIENTS, *WRITERS, *CATALOG}


def test_a_verification_is_sent_before_anything_is_imported_that_tells_of_its_end() -> None:
    """Here it ends where it would be sent: nobody listens there."""
    asked = ["verify", "--district", "NORTH", "--object", "PersonIdentity"]
    unreachable = {"RESYNC_BOOTSTRAP_SERVERS": "127.0.0.1:1", "RESYNC_HISTORY_DSN": "postgresql://127.0.0.1:1/none"}
    found = imported(
        "from processor.cli.main import main; main()",
        ExitCode.UNREACHABLE,
        *asked,
        RESYNC_CATALOG=str(DEMO),
        **unreachable,
    )
    assert {"processor.adapters.kafka.publisher", "processor.catalog_file"} <= found, "it came so far"
    later = {"psycopg", "processor.cli.following", "processor.core.rights", "processor.core.policy"}
    others = {"confluent_kafka.admin", "confluent_kafka.schema_registry", "processor.core.condition"}
    assert not found & {*WRITERS, "prometheus_client", "structlog", *later, *others}


def test_the_history_is_read_without_the_codec_and_kafka() -> None:
    unreachable = {"RESYNC_HISTORY_DSN": "postgresql://127.0.0.1:1/none"}
    found = imported("from processor.cli.main import main; main()", ExitCode.UNREACHABLE, "history", **unreachable)
    assert "psycopg" in found, "it came so far"
    assert not found & {*WRITERS, "confluent_kafka", "prometheus_client", "structlog", "yaml", "fastavro"}
