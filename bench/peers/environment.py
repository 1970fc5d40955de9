"""An environment of the peers' own, made when a benchmark asks for it; nothing of it gets into the project's."""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bench.world import RunFailed
from processor.cli.output import say
from stack.layout import REPO

LOCK = Path(__file__).with_name("requirements.lock")
PLACE = REPO / ".local" / "peers"


def python() -> Path:
    """An interpreter that has what `LOCK` pins, by pip with its own settings. Raises RunFailed."""
    wanted = hashlib.sha256(repr((sys.version, LOCK.read_text(encoding="utf-8"))).encode()).hexdigest()
    place = PLACE / wanted[:12]
    interpreter, stamp = place / "bin" / "python", place / ".made"
    if not stamp.exists():
        shutil.rmtree(PLACE, ignore_errors=True)  # of other pins
        say(f"making an environment for the peers in {place} …")
        venv.EnvBuilder(with_pip=True, symlinks=True).create(place)
        command: list[str | Path] = [interpreter, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", LOCK]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RunFailed(f"what {LOCK.name} pins could not be installed:\n{done.stderr.strip()}")
        stamp.touch()
    return interpreter
