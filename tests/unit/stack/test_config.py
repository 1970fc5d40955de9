from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from stack import config, services
from stack.claims import Claims
from stack.errors import StackError
from stack.layout import Stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def unclaimed(_base: int) -> bool:
    return True


def all_but(*taken: int) -> Callable[[int], bool]:
    return lambda port: port not in taken


def test_ports_follow_from_the_first_base() -> None:
    chosen = config.choose(None, {}, (), claim=unclaimed, free=all_but())
    assert chosen.ports == {
        "kafka": 19000,
        "kafka-controller": 19001,
        "registry": 19002,
        "postgres-state": 19010,
        "postgres-NORTH": 19011,
        "postgres-RIVER": 19012,
        "postgres-LAKE": 19013,
    }


@pytest.mark.parametrize("taken", [19000, 19013, 19050])
def test_a_block_with_a_taken_port_is_passed_over(taken: int) -> None:
    chosen = config.choose(None, {}, (), claim=unclaimed, free=all_but(taken))
    assert chosen.base == 19100
    assert set(chosen.ports.values()) == {19100, 19101, 19102, 19110, 19111, 19112, 19113}


def test_stacks_that_start_at_once_get_blocks_of_their_own(tmp_path: Path) -> None:
    """Nobody listens yet when the next one looks, and a block that was remembered is looked at as well."""
    remembered = config.choose(None, {}, (), claim=unclaimed, free=all_but())
    with Claims(tmp_path) as one, Claims(tmp_path) as other, Claims(tmp_path) as third:
        bases = [
            config.choose(None, {}, (), claim=one.take, free=all_but()).base,
            config.choose(None, {}, (), claim=other.take, free=all_but()).base,
            config.choose(remembered, {}, (), claim=third.take, free=all_but()).base,
        ]
        assert bases == [19000, 19100, 19200]
        assert one.take(19000), "claimed by itself"
    with Claims(tmp_path) as later:
        assert config.choose(None, {}, (), claim=later.take, free=all_but()).base == 19000


def test_remembered_ports_stay_while_they_are_free() -> None:
    first = config.choose(None, {}, (), claim=unclaimed, free=all_but(19000))
    assert config.choose(first, {}, (), claim=unclaimed, free=all_but()) == first


def test_what_runs_keeps_its_port_and_the_rest_moves() -> None:
    first = config.choose(None, {}, (), claim=unclaimed, free=all_but())
    chosen = config.choose(first, {}, ("kafka",), claim=unclaimed, free=all_but(19000, 19001, 19011))
    assert chosen.ports["kafka"] == 19000
    assert chosen.ports["kafka-controller"] == 19001
    assert chosen.ports["postgres-NORTH"] == 19111
    assert chosen.ports["registry"] == 19102


def test_fixed_ports_and_a_fixed_base() -> None:
    environ = {"RESYNC_PORT_BASE": "25000", "RESYNC_PG_PORT_NORTH": "5555"}
    chosen = config.choose(None, environ, (), claim=unclaimed, free=all_but())
    assert chosen.ports["postgres-NORTH"] == 5555
    assert chosen.ports["postgres-LAKE"] == 25013
    assert config.role_port(chosen, "apply", 3) == 25063


@pytest.mark.parametrize(
    ("environ", "taken", "said"),
    [
        ({"RESYNC_KAFKA_PORT": "9092"}, 9092, r"port 9092 of kafka is taken.*RESYNC_KAFKA_PORT"),
        ({"RESYNC_PORT_BASE": "25000"}, 25010, r"port 25010 of postgres-state is taken.*RESYNC_PORT_BASE"),
        ({"RESYNC_REGISTRY_PORT": "http"}, 1, r"RESYNC_REGISTRY_PORT='http' is not a port"),
        ({"RESYNC_PORT_BASE": "70000"}, 1, r"RESYNC_PORT_BASE='70000' is not a port"),
        ({"RESYNC_PORT_BASE": "65500"}, 1, r"RESYNC_PORT_BASE='65500' is not a port from 1 to 65436"),
        (
            {"RESYNC_KAFKA_PORT": "9092", "RESYNC_REGISTRY_PORT": "9092"},
            1,
            r"port 9092 .* kafka and registry: .*RESYNC_KAFKA_PORT or RESYNC_REGISTRY_PORT",
        ),
    ],
)
def test_a_fixed_port_that_cannot_be_had_is_named(environ: dict[str, str], taken: int, said: str) -> None:
    with pytest.raises(StackError, match=said):
        config.choose(None, environ, (), claim=unclaimed, free=all_but(taken))


def test_a_fixed_port_is_left_to_the_service_that_it_was_fixed_for() -> None:
    first = config.choose(None, {}, (), claim=unclaimed, free=all_but())
    for remembered in (None, first):
        chosen = config.choose(remembered, {"RESYNC_KAFKA_PORT": "19002"}, (), claim=unclaimed, free=all_but())
        assert chosen.ports["kafka"] == 19002
        assert chosen.ports["registry"] == 19102


def test_a_running_service_does_not_move() -> None:
    first = config.choose(None, {}, (), claim=unclaimed, free=all_but())
    with pytest.raises(StackError, match="kafka runs on port 19000 but RESYNC_KAFKA_PORT asks for 9092"):
        config.choose(first, {"RESYNC_KAFKA_PORT": "9092"}, ("kafka",), claim=unclaimed, free=all_but())


def test_districts_can_be_added_later() -> None:
    first = config.choose(None, {"RESYNC_DISTRICTS": "A"}, (), claim=unclaimed, free=all_but())
    assert first.districts == ("A",)
    second = config.choose(first, {"RESYNC_DISTRICTS": "A, B"}, (), claim=unclaimed, free=all_but())
    assert second.districts == ("A", "B")
    assert config.choose(second, {}, (), claim=unclaimed, free=all_but()).districts == ("A", "B")


@pytest.mark.parametrize("text", [",", "A,a", "A-1,A_1", "ÄRA", "state", "a b", ",".join(f"D{i}" for i in range(40))])
def test_districts_that_cannot_be_told_apart_are_refused(text: str) -> None:
    with pytest.raises(StackError, match="RESYNC_DISTRICTS"):
        config.parse_districts(text)


def test_a_listening_port_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not config.is_free(port)
    assert config.is_free(port)


def test_choice_is_remembered_in_the_stack(tmp_path: Path) -> None:
    stack = Stack.at(tmp_path / "new")
    assert config.load(stack) is None
    with pytest.raises(StackError, match="make up"):
        config.existing(stack)
    chosen = config.choose(None, {}, (), claim=unclaimed, free=all_but())
    config.save(stack, chosen)
    assert config.existing(stack) == chosen


@pytest.mark.parametrize("content", ["", '{"districts": ["NO', "[]", '{"districts": ["NORTH"], "base": 19000}'])
def test_damaged_settings_are_named_and_do_not_keep_a_stack_from_stopping(tmp_path: Path, content: str) -> None:
    stack = Stack.at(tmp_path)
    stack.state_file.write_text(content)
    stack.run_dir.mkdir()
    stack.pid_file("postgres-NORTH").write_text("0")
    with pytest.raises(StackError, match=r"stack\.json is damaged .*make down, remove it"):
        config.existing(stack)
    services.stop_all(stack)
    assert not stack.pid_file("postgres-NORTH").exists()
