"""The command line as a person uses it: the console script and an environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests import forked


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def resync(env: Mapping[str, str], *arguments: str, timeout_s: float = 60.0) -> Ended:
    """`env` is added to this process's."""
    done = forked.run([*arguments], env={**os.environ, **env}, timeout_s=timeout_s)
    return Ended(done.returncode, done.stdout, done.stderr)
