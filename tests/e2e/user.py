"""A user who is not root, and what one has: Python, make and a checkout, and a HOME with nothing in it.

Tests that run as root become an account that every system has. It can enter nothing of root's, so it gets a copy of the
checkout, of the environment, of the downloads and, where that is root's too, of the interpreter. Large files that
nobody changes are links to root's, which others can read and not write. Tests that run as a user stay who they are,
where they are.
"""

import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.artifacts import Cache
from stack.layout import REPO, Stack
from stack.postgres import UNPRIVILEGED, may_enter
from stack.process import Account
from stack.testing import folder_in_memory

PROGRAMS = ("make", "bash", "sh")
"""What a user has on PATH beside Python; `git` brought the checkout."""
NOT_OF_A_CHECKOUT = {".git", ".venv", ".local", ".hypothesis", "__pycache__"}
NOT_OF_AN_INTERPRETER = {"site-packages", "test"}
NOT_OF_THE_CACHE = {"tools", "lock"}
NOT_IN_MEMORY = Path("/var/tmp")  # noqa: S108  (a folder of its own in it)
"""From where programs can be run, and that everybody may enter."""
FIRST_BASE, BASES = 16_000, 30
"""Of ports, where no other stack looks for free ones: those of several users do not know of each other."""


@dataclass(frozen=True, slots=True)
class User:
    """`account` is None where the tests' own will do."""

    account: Account | None
    home: Path
    programs: Path
    checkout: Path
    cache: Path
    stack: Stack
    libraries: Path | None = None
    """Of a copied interpreter, which names them by the place that it was made for."""

    @property
    def uid(self) -> int:
        return os.getuid() if self.account is None else self.account.uid

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        uid, gid = self.account or (None, None)
        own = {
            "HOME": str(self.home),
            "PATH": str(self.programs),
            "STACK_DIR": str(self.stack.dir),
            "RESYNC_CACHE": str(self.cache),
            "UV_OFFLINE": "1",
            "RESYNC_PORT_BASE": str(FIRST_BASE + os.getpid() % BASES * 100),
        }
        if self.libraries is not None:
            own["LD_LIBRARY_PATH"] = str(self.libraries)
        return subprocess.run(
            [str(part) for part in command],
            env={**own, **(env or {})},
            cwd=self.checkout,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def plain_user() -> Iterator[User]:
    """Takes all away at the end; what runs by then is to be stopped before."""
    account = None
    if os.geteuid() == 0:
        entry = pwd.getpwnam(UNPRIVILEGED)
        account = Account(entry.pw_uid, entry.pw_gid)
    with _folder(NOT_IN_MEMORY, account) as own, _folder(folder_in_memory(), account) as of_stack:
        stack = Stack.at(of_stack)
        yield _as_they_are(own, stack) if account is None else _with_copies(own, stack, account)


@contextmanager
def _folder(parent: Path | None, account: Account | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="selective-sync-user-", dir=parent))
    _give(folder, account)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _as_they_are(folder: Path, stack: Stack) -> User:
    home, programs = _home(folder, None), _programs(folder, Path(sys.executable))
    return User(None, home, programs, REPO, Cache.choose(os.environ).dir, stack)


def _with_copies(folder: Path, stack: Stack, account: Account) -> User:
    python, libraries = Path(sys.executable).resolve(), None
    if not may_enter(python.parent, account):
        copied = folder / "python"
        _lay(Path(sys.base_prefix), copied, account, left_out=NOT_OF_AN_INTERPRETER, are_linked=True)
        python, libraries = copied / "bin" / python.name, copied / "lib"
    checkout, cache = folder / "checkout", folder / "cache"
    _lay(REPO, checkout, account, left_out=NOT_OF_A_CHECKOUT)
    _lay_environment(REPO / ".venv", checkout / ".venv", account)
    _lay(Cache.choose(os.environ).dir, cache, account, left_out=NOT_OF_THE_CACHE, are_linked=True)
    return User(account, _home(folder, account), _programs(folder, python), checkout, cache, stack, libraries)


def _give(place: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(place, *account)


def _home(folder: Path, account: Account | None) -> Path:
    home = folder / "home"
    home.mkdir()
    _give(home, account)
    return home


def _programs(folder: Path, python: Path) -> Path:
    programs = folder / "programs"
    programs.mkdir()
    # No link: an environment made by one would look for the library beside it.
    (programs / "python3").write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n', encoding="utf-8")
    (programs / "python3").chmod(0o755)
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found is not None, f"{name} is needed: install it"
        (programs / name).symlink_to(found)
    return programs


def _lay_environment(source: Path, target: Path, account: Account) -> None:
    """So that `make venv` has to set it to rights for its new place, and finds all packages installed."""
    interpreter = {entry.name for entry in (source / "bin").glob("python*")}
    _lay(source, target, account, left_out={"lib", *interpreter})
    _lay(source / "lib", target / "lib", account, are_linked=True)
    os.utime(target / ".stamp", (0, 0))


def _lay(
    source: Path, target: Path, account: Account, *, left_out: Collection[str] = (), are_linked: bool = False
) -> None:
    """Folders, and copied files, are the account's. Where the target is on another disk, files are copied after all."""
    target.mkdir()
    _give(target, account)
    for entry in os.scandir(source):
        here, there = Path(entry.path), target / entry.name
        if entry.name in left_out:
            continue
        if entry.is_symlink():
            there.symlink_to(here.readlink())
        elif entry.is_dir():
            _lay(here, there, account, left_out=left_out, are_linked=are_linked)
        elif not (are_linked and _is_linked(here, there)):
            shutil.copy2(here, there)
            _give(there, account)


def _is_linked(here: Path, there: Path) -> bool:
    try:
        there.hardlink_to(here)
    except OSError:
        return False
    return True
