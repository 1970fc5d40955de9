"""Makes `.venv` from requirements.lock. Runs on the bare interpreter: the standard library only."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REPO = Path(__file__).resolve().parents[1]
VENV = REPO / ".venv"
STAMP = VENV / ".stamp"
LOCK = REPO / "requirements.lock"

# pip's option, and the variable that says the same to uv.
UV_VARIABLE = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def pip_options(listing: str) -> dict[str, str]:
    """The options in what `pip config list` prints; the environment outranks `[install]`, that outranks `[global]`."""
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                found[name.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return found


def uv_environment(options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with pip's settings added in uv's words; what is set there for uv already stays."""
    result = dict(environ)
    for option, variable in UV_VARIABLE.items():
        if value := options.get(option):
            # pip separates several values by blanks or lines; so does uv, but for find-links.
            joined = ("," if option == "find-links" else " ").join(value.split())
            result.setdefault(variable, joined)
    if timeout := options.get("timeout"):
        result.setdefault("UV_HTTP_TIMEOUT", timeout)
    # pip takes the best match of all indexes; with hashes pinned that is safe.
    result.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    result["UV_PYTHON_DOWNLOADS"] = "never"
    result["VIRTUAL_ENV"] = str(VENV)
    if not writable_home(environ):
        result.setdefault("UV_CACHE_DIR", str(REPO / ".local" / "cache" / "uv"))
    return result


def writable_home(environ: Mapping[str, str]) -> bool:
    home = Path(environ.get("XDG_CACHE_HOME") or environ.get("HOME") or "/nonexistent")
    return home.is_dir() and os.access(home, os.W_OK)


def uv_requirement(lock: str) -> str:
    """The pinned `uv` with its hashes, cut out of the lock."""
    found = re.search(r"^uv==(?:.*\\\n)*.*\n", lock, re.MULTILINE)
    if found is None:
        raise SystemExit("requirements.lock pins no uv")
    return found.group()


def fingerprint() -> str:
    """What the environment depends on: lock, project, interpreter, and where it lies (scripts hold its path)."""
    # Of pyproject.toml only what is installed: the settings of the checks change often and concern no environment.
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    parts = (sys.version, VENV, LOCK.read_text(), project["project"], project["build-system"])
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def run(*command: str | Path, environ: Mapping[str, str] | None = None) -> None:
    done = subprocess.run([str(part) for part in command], env=environ, check=False)
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(str(part) for part in command)}\nrun the same command again to go on")


def install() -> None:
    python, uv = VENV / "bin" / "python", VENV / "bin" / "uv"
    try:
        venv.EnvBuilder(with_pip=True, symlinks=True, clear=not STAMP.exists()).create(VENV)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"{sys.executable} cannot make an environment with pip (on Debian: install python3-venv): {error}",
        ) from error
    if not uv.exists():
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
            requirement.write(uv_requirement(LOCK.read_text()))
            requirement.flush()
            run(python, "-m", "pip", "install", "-q", "--require-hashes", "--no-deps", "-r", requirement.name)
    listing = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    environ = uv_environment(pip_options(listing.stdout), os.environ)
    # The list of 80 packages is of use only to a person who waits.
    quiet = () if sys.stderr.isatty() else ("-q",)
    # Compiled once, or else, under PYTHONDONTWRITEBYTECODE, by each process again: two thirds of a command's time.
    options = ("--exact", "--require-hashes", "--compile-bytecode", *quiet)
    run(uv, "pip", "install", *options, "-r", LOCK, environ=environ)
    # The build backend is in the lock, so the project itself is installed without asking any index.
    run(uv, "pip", "install", "-q", "--no-build-isolation", "--no-deps", "--editable", REPO, environ=environ)


def main() -> None:
    started, wanted = time.monotonic(), fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted and (VENV / "bin" / "python").exists():
        STAMP.touch()
        return
    print(f"Making .venv from requirements.lock with Python {sys.version.split()[0]} …", flush=True)
    install()
    STAMP.write_text(wanted)
    print(f".venv ready in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
