"""The command line as a person uses it: the console script and an environment."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stack.layout import REPO
from stack.roles import console_script


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def resync(env: Mapping[str, str], *arguments: str, timeout_s: float = 60.0) -> Ended:
    """`env` is added to this process's."""
    done = subprocess.run(
        [console_script(), *arguments],
        env={**os.environ, **env},
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
