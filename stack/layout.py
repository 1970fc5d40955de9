"""Where a stack keeps its files."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator

REPO = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack is one directory; several stand side by side. `at` makes the path absolute."""

    dir: Path

    @classmethod
    def at(cls, directory: str | Path) -> Stack:
        return cls(Path(directory).absolute())

    @classmethod
    def default(cls) -> Stack:
        return cls.at(REPO / os.environ.get("STACK_DIR", ".local"))

    @property
    def run_dir(self) -> Path:
        return self.dir / "run"

    @property
    def env_file(self) -> Path:
        return self.dir / "stack.env"

    @property
    def state_file(self) -> Path:
        return self.dir / "stack.json"

    def pid_file(self, name: str) -> Path:
        return self.run_dir / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        return self.run_dir / f"{name}.log"

    def began_file(self, name: str) -> Path:
        return self.run_dir / f"{name}.began"

    def ready_file(self, name: str) -> Path:
        return self.run_dir / f"{name}.ready"

    def data_dir(self, name: str) -> Path:
        return self.dir / "data" / name

    @property
    def reachable_dir(self) -> Path:
        """For an account that may not enter `dir`."""
        return Path("/var/tmp") / f"selective-sync-{hashlib.sha256(bytes(self.dir)).hexdigest()[:12]}"  # noqa: S108

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time changes a stack."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        with (self.dir / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackError(f"another command is at work on the stack in {self.dir}: wait for it") from None
            yield
