"""Roles under strict settings, for the first requests: deadlines of seconds, small limits, a policy, and no applier.

By the stack's own settings some ends take a day. Nothing else is asked for meanwhile, so these deadlines end what was
planted for them and nothing more, however slow the machine is.
"""

import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import yaml

from demo.databases import RESYNC, STACK, command_environment
from stack import config, roles
from stack.errors import StackError

DEMO = Path(__file__).resolve().parent
CATALOG = STACK.dir / "demo" / "strict.yaml"
MAX_ATTEMPTS = 2
HOLD_CHANGES = 5
LIMITS = {
    "answer_deadline_s": 1,
    "snapshot_deadline_s": 4,
    "max_attempts": MAX_ATTEMPTS,
    "hold_changes": HOLD_CHANGES,
    "allow_delete": False,
}
GONE = "ISLE"
"""A district whose database is no more: nothing listens there."""
GONE_DSN = "host=127.0.0.1 port=1 dbname=isle user=isle"
SETTINGS = {
    "RESYNC_CATALOG": str(CATALOG),
    "RESYNC_POLICY": str(DEMO / "policy.yaml"),
    "RESYNC_RETRY_DELAY_S": "1",
}


def write_catalog(file: Path = CATALOG) -> None:
    """The demo's catalog with strict limits and one more district."""
    catalog = yaml.safe_load((DEMO / "catalog.yaml").read_text(encoding="utf-8"))
    catalog["limits"] |= LIMITS
    catalog["crosswalks"] = {name: str(DEMO / path) for name, path in catalog["crosswalks"].items()}
    catalog["districts"][GONE] = {"name": "Outer Isles", "dsn": GONE_DSN, "epoch": 1}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(catalog, sort_keys=False, allow_unicode=True), encoding="utf-8")


class Roles:
    """The stack's processor, applier and store: replaced by strict ones, and started again as they were."""

    def __init__(self) -> None:
        running = {
            role: [n for n in range(config.ROLE_PORTS) if roles.is_running(STACK, role, n)] for role in roles.DEFAULT
        }
        self._usual = [(role, ordinal) for role, found in running.items() for ordinal in (found or [0])]
        self._pool = ThreadPoolExecutor()

    def start_strict(self) -> None:
        """Topics of the policy too; a processor and a store, and none that applies. Raises StackError."""
        write_catalog()
        stopping = [self._pool.submit(roles.stop, STACK, *each) for each in self._usual]
        made = subprocess.run(
            [RESYNC, "topics", "create"],
            env=command_environment() | SETTINGS, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise StackError(f"resync topics create failed:\n{made.stdout}{made.stderr}".rstrip())
        for each in stopping:
            each.result()
        for role in ("process", "store"):
            roles.start(STACK, role, env=SETTINGS)
        for role in ("process", "store"):
            roles.wait_ready(STACK, role)

    def start_usual(self) -> Future[None]:
        """Returns once no strict one runs; the future waits until all are ready."""
        list(self._pool.map(lambda role: roles.stop(STACK, role), ("process", "store")))
        for each in self._usual:
            roles.start(STACK, *each)
        return self._pool.submit(self._wait_ready)

    def _wait_ready(self) -> None:
        for each in self._usual:
            roles.wait_ready(STACK, *each)
