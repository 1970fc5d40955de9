"""Environments of the peers' own, made when a benchmark asks for them; nothing of them gets into the project's."""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bench.world import RunFailed
from processor.cli.output import say
from stack.layout import REPO

RELADIFF = Path(__file__).with_name("requirements.lock")
QUIX = Path(__file__).with_name("requirements-quix.lock")
PLACE = REPO / ".local" / "peers"


def python(lock: Path) -> Path:
    """An interpreter that has what a lock pins, by pip with its own settings. Raises RunFailed."""
    wanted = hashlib.sha256(repr((sys.version, lock.read_text(encoding="utf-8"))).encode()).hexdigest()
    place = PLACE / lock.stem / wanted[:12]
    interpreter, stamp = place / "bin" / "python", place / ".made"
    if not stamp.exists():
        shutil.rmtree(place.parent, ignore_errors=True)  # of other pins
        say(f"making an environment for the peers in {place} …")
        venv.EnvBuilder(with_pip=True, symlinks=True).create(place)
        command: list[str | Path] = [interpreter, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RunFailed(f"what {lock.name} pins could not be installed:\n{done.stderr.strip()}")
        stamp.touch()
    return interpreter
