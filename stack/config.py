"""What a stack consists of and on which ports; chosen once, remembered in stack.json."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from stack.layout import Stack

DEFAULT_DISTRICTS = ("NORTH", "RIVER", "LAKE")
FIRST_BASE = 19000
# Blocks end below 32768, where systems take the ports of outgoing connections from.
BLOCK, LAST_BASE = 100, 32600
KAFKA, CONTROLLER, REGISTRY, STATE = "kafka", "kafka-controller", "registry", "postgres-state"
FIXED_OFFSETS = {KAFKA: 0, CONTROLLER: 1, REGISTRY: 2, STATE: 10}
DISTRICT_OFFSET, MOST_DISTRICTS = 11, 39
ROLE_OFFSETS = {"process": 50, "apply": 60, "store": 70, "api": 80}
OTHER_ROLE_OFFSET, ROLE_PORTS = 90, 10


@dataclass(frozen=True, slots=True)
class Config:
    districts: tuple[str, ...] = DEFAULT_DISTRICTS
    base: int = FIRST_BASE
    ports: Mapping[str, int] = field(default_factory=dict)

    def port(self, name: str) -> int:
        try:
            return self.ports[name]
        except KeyError:
            raise StackError(f"the stack has no {name}; it has {', '.join(self.ports)}") from None


def district_server(district: str) -> str:
    return f"postgres-{district}"


def variable_of(name: str) -> str:
    """The variable that fixes a port: postgres-NORTH → RESYNC_PG_PORT_NORTH, kafka → RESYNC_KAFKA_PORT."""
    key = re.sub(r"[^A-Z0-9]", "_", name.upper())
    if key.startswith("POSTGRES_"):
        return f"RESYNC_PG_PORT_{key.removeprefix('POSTGRES_')}"
    return f"RESYNC_{key}_PORT"


def parse_districts(text: str) -> tuple[str, ...]:
    districts = tuple(part.strip() for part in text.split(",") if part.strip())
    variables = [variable_of(district_server(district)) for district in districts]
    for district in districts:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", district) or district.lower() == "state":
            raise StackError(
                f"RESYNC_DISTRICTS: {district!r} cannot be a district's id here (letters, digits, - and _)"
            )
    if len(districts) > MOST_DISTRICTS:
        raise StackError(f"RESYNC_DISTRICTS: at most {MOST_DISTRICTS} districts fit into a block of ports")
    if not districts or len(set(variables)) < len(districts):
        raise StackError(f"RESYNC_DISTRICTS={text!r} must name districts that differ in more than case")
    return districts


def load(stack: Stack) -> Config | None:
    try:
        content = json.loads(stack.state_file.read_text())
        return Config(tuple(content["districts"]), content["base"], content["ports"])
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise StackError(
            f"{stack.state_file} is damaged ({error!r}): make down, remove it, and make up chooses ports anew"
        ) from error


def save(stack: Stack, config: Config) -> None:
    stack.dir.mkdir(parents=True, exist_ok=True)
    content = {"districts": config.districts, "base": config.base, "ports": config.ports}
    unfinished = stack.state_file.with_suffix(".part")
    unfinished.write_text(json.dumps(content, indent=1) + "\n")
    unfinished.replace(stack.state_file)


def existing(stack: Stack) -> Config:
    config = load(stack)
    if config is None:
        raise StackError(f"there is no stack in {stack.dir} yet: make up creates it")
    return config


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ports of closed connections count as free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose(
    remembered: Config | None,
    environ: Mapping[str, str],
    running: Collection[str],
    *,
    claim: Callable[[int], bool],
    free: Callable[[int], bool] = is_free,
    first_base: int = FIRST_BASE,
) -> Config:
    """Districts and ports for the next start.

    What runs keeps its port. A port that the environment fixes must be free. The others stay as remembered while
    they are free, else all of them move to the next free block. `claim` says whether no other stack is about to use
    the block that begins at a port, and keeps others from it.
    """
    districts = remembered.districts if remembered else DEFAULT_DISTRICTS
    if text := environ.get("RESYNC_DISTRICTS"):
        districts = parse_districts(text)
    offsets = FIXED_OFFSETS | {district_server(name): DISTRICT_OFFSET + i for i, name in enumerate(districts)}
    known = remembered.ports if remembered else {}
    held = {*running, CONTROLLER} if KAFKA in running else set(running)
    kept = {name: port for name, port in known.items() if name in held}
    fixed = _fixed(offsets, environ)
    for name, (port, variable) in fixed.items():
        _check_fixed(name, port, variable, kept, free)
    ports = kept | {name: port for name, (port, _) in fixed.items()}
    _check_distinct(ports)
    missing = [name for name in offsets if name not in ports]
    base = int(environ.get("RESYNC_PORT_BASE") or (remembered.base if remembered else first_base))
    remembers = all(name in known for name in missing)
    taken = set(ports.values())

    def is_left(port: int) -> bool:
        return port not in taken and free(port)

    if not missing or (remembers and claim(base) and all(is_left(known[name]) for name in missing)):
        ports |= {name: known[name] for name in missing}
    else:
        base = _free_base([offsets[name] for name in missing], claim, is_left, first_base)
        ports |= {name: base + offsets[name] for name in missing}
    return Config(districts, base, {name: ports[name] for name in sorted(ports, key=ports.__getitem__)})


def _fixed(offsets: Mapping[str, int], environ: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """The ports that the environment gives, each with the variable that gave it."""
    fixed: dict[str, tuple[int, str]] = {}
    for name, offset in offsets.items():
        if port := environ.get(variable_of(name)):
            fixed[name] = (_number(port, variable_of(name)), variable_of(name))
        elif base := environ.get("RESYNC_PORT_BASE"):
            fixed[name] = (_number(base, "RESYNC_PORT_BASE", BLOCK) + offset, "RESYNC_PORT_BASE")
    return fixed


def _number(text: str, variable: str, block: int = 1) -> int:
    """A port after which `block` ports, itself counted, are still ports."""
    last = 65536 - block
    if not text.isdecimal() or not 0 < int(text) <= last:
        raise StackError(f"{variable}={text!r} is not a port from 1 to {last}")
    return int(text)


def _check_distinct(ports: Mapping[str, int]) -> None:
    users: dict[int, str] = {}
    for name, port in ports.items():
        if (other := users.setdefault(port, name)) != name:
            raise StackError(
                f"port {port} is meant for both {other} and {name}: change {variable_of(other)} or {variable_of(name)}"
            )


def _check_fixed(name: str, port: int, variable: str, kept: Mapping[str, int], free: Callable[[int], bool]) -> None:
    if name in kept:
        if kept[name] != port:
            raise StackError(f"{name} runs on port {kept[name]} but {variable} asks for {port}: make down first")
    elif not free(port):
        raise StackError(f"port {port} of {name} is taken by another program: stop it, or change {variable}")


def _free_base(
    offsets: Collection[int], claim: Callable[[int], bool], free: Callable[[int], bool], first_base: int
) -> int:
    """Claimed before it is looked at: who had it before may have begun to listen."""
    roles = [offset + ordinal for offset in ROLE_OFFSETS.values() for ordinal in range(ROLE_PORTS)]
    for base in range(first_base, LAST_BASE, BLOCK):
        if claim(base) and all(free(base + offset) for offset in (*offsets, *roles)):
            return base
    raise StackError(f"no free block of ports between {first_base} and {LAST_BASE}: set RESYNC_PORT_BASE")


def role_port(config: Config, role: str, ordinal: int) -> int:
    """Where a role may serve metrics and health; each known role has ten ports."""
    return config.base + ROLE_OFFSETS.get(role, OTHER_ROLE_OFFSET) + ordinal % ROLE_PORTS
