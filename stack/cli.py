from __future__ import annotations

import argparse
import os
import sys
import time

from stack import config, download, process, roles, services
from stack.artifacts import EXAMPLES_LOCK, Cache, read_lock
from stack.errors import StackError
from stack.layout import Stack


def main() -> int:
    arguments = _parser().parse_args()
    process.heed_interrupts()
    stack = Stack.at(arguments.dir) if arguments.dir else Stack.default()
    try:
        arguments.run(stack, arguments)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        _tell("interrupted: the same command goes on from here, make down stops what runs")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description="The local stack.")
    parser.add_argument("--dir", help="the stack's directory (default: $STACK_DIR, else .local in the checkout)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start what is not running")
    up.add_argument("--roles", default="", metavar="ROLE[:N],…", help="roles to start after the services")
    up.set_defaults(run=_up)
    commands.add_parser("down", help="stop everything; data stays").set_defaults(run=_down)
    commands.add_parser("status", help="what runs, where").set_defaults(run=_status)
    for verb, run, text in (("start", _start, "start one process"), ("stop", _stop, "stop one process")):
        command = commands.add_parser(verb, help=f"{text}: a service's name, or a role and its ordinal")
        command.add_argument("name", metavar="NAME|ROLE")
        command.add_argument("ordinal", type=int, nargs="?", metavar="N")
        command.set_defaults(run=run)
    commands.add_parser("clean", help="stop everything and remove the data").set_defaults(run=_clean)
    commands.add_parser("jars", help="the class path of docs/examples/Publish.java; fetches it").set_defaults(run=_jars)
    commands.add_parser("lock", help="pin the Java artifacts anew").set_defaults(run=_lock)
    return parser


def _say(line: str) -> None:
    """A reader that has gone, as of `make up | head -1`, stops nothing that is under way."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _up(stack: Stack, arguments: argparse.Namespace) -> None:
    started, wanted = time.monotonic(), roles.parse(arguments.roles)
    services.start_all(stack, say=_say)
    roles.start_all(stack, wanted, _say)
    _say(f"up in {time.monotonic() - started:.1f} s; settings in {stack.env_file}")


def _down(stack: Stack, _arguments: argparse.Namespace) -> None:
    if stack.dir.exists():
        services.stop_all(stack, say=_say)


def _status(stack: Stack, _arguments: argparse.Namespace) -> None:
    settings = config.existing(stack)
    others = [name for name in process.names(stack) if name not in services.names(stack)]
    for name in (*services.names(stack), *others):
        pid = process.find(stack, name)
        role, _, ordinal = name.rpartition("-")
        is_role = name in others and ordinal.isdecimal()
        port = config.role_port(settings, role, int(ordinal)) if is_role else settings.ports.get(name)
        _say(f"  {name:<16} {f'pid {pid}' if pid else 'not running':<14} {f'port {port}' if port else ''}")


def _start(stack: Stack, arguments: argparse.Namespace) -> None:
    if arguments.ordinal is None:
        services.start(stack, arguments.name)
    else:
        roles.start(stack, arguments.name, arguments.ordinal)
        roles.wait_ready(stack, arguments.name, arguments.ordinal)


def _stop(stack: Stack, arguments: argparse.Namespace) -> None:
    if arguments.ordinal is None:
        services.stop(stack, arguments.name)
    else:
        roles.stop(stack, arguments.name, arguments.ordinal)


def _clean(stack: Stack, _arguments: argparse.Namespace) -> None:
    services.destroy(stack, say=_say)


def _jars(_stack: Stack, _arguments: argparse.Namespace) -> None:
    jars, cache = read_lock(EXAMPLES_LOCK)["java"], Cache.choose(os.environ)
    download.fetch_missing(jars, cache, os.environ, _tell)
    _say(os.pathsep.join(str(cache.file(jar)) for jar in jars))


def _lock(_stack: Stack, _arguments: argparse.Namespace) -> None:
    from stack.lock import write_lock

    write_lock(_say)
