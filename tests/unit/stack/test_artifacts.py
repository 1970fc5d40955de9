from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from stack.artifacts import (
    EXAMPLES_LOCK,
    LOCK,
    PEERS_LOCK,
    Artifact,
    Cache,
    format_lock,
    parse_lock,
    read_lock,
    repository_path,
)
from stack.errors import StackError
from stack.layout import REPO

if TYPE_CHECKING:
    from pathlib import Path

SHA = "ab" * 32


@pytest.mark.parametrize(
    ("coordinates", "path"),
    [
        ("org.x:kit_2.13:4.3.1", "org/x/kit_2.13/4.3.1/kit_2.13-4.3.1.jar"),
        ("org.x:kit:zip:1", "org/x/kit/1/kit-1.zip"),
        ("org.x:kit:tar.gz:all:1", "org/x/kit/1/kit-1-all.tar.gz"),
    ],
)
def test_coordinates_name_a_path_in_any_repository(coordinates: str, path: str) -> None:
    assert repository_path(coordinates) == path


def test_lock_survives_writing_and_reading() -> None:
    content = {"kafka": (Artifact("a:b:1", SHA, 7), Artifact("a:c:2", SHA, 8)), "registry": ()}
    assert parse_lock(format_lock(content)) == content


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"kafka": [{"coordinates": "a:b:1", "size": 1}]}',
        '{"kafka": [{"coordinates": "a:b:1", "sha256": "x", "size": 1}]}',
    ],
)
def test_damaged_lock_is_named(text: str) -> None:
    with pytest.raises(StackError, match=LOCK.name):
        parse_lock(text)


def test_committed_lock_pins_each_file_once() -> None:
    lock = read_lock()
    names = [artifact.file_name for artifact in lock["kafka"]]
    assert len(names) == len(set(names))
    assert "kafka_2.13-4.3.1.jar" in names
    assert "kafka-clients-4.3.1.jar" in names
    assert [artifact.file_name for artifact in lock["registry"]] == ["apicurio-registry-app-3.3.3-all.tar.gz"]


def test_what_the_examples_need_besides_is_nothing_that_the_stack_downloads() -> None:
    examples = read_lock(EXAMPLES_LOCK)
    stack = {artifact.coordinates for needed in read_lock().values() for artifact in needed}
    assert {artifact.file_name.partition("-")[0] for artifact in examples["compiler"]} == {"ecj"}
    clients = [artifact.coordinates.rpartition(":")[0] for artifact in examples["java"]]
    assert {"org.apache.kafka:kafka-clients", "org.apache.avro:avro"} <= set(clients)
    assert len(clients) == len(set(clients)), "two versions of one jar"
    assert not stack & {artifact.coordinates for artifact in examples["compiler"]}


@pytest.mark.parametrize(("section", "needed"), [("java", "kafka-clients"), ("streams", "kafka-streams")])
def test_a_peer_has_the_broker_s_release_and_one_version_of_each_jar(section: str, needed: str) -> None:
    jars = [artifact.coordinates.rpartition(":") for artifact in read_lock(PEERS_LOCK)[section]]
    versions = {name: version for name, _, version in jars}
    broker = next(a.coordinates for a in read_lock()["kafka"] if ":kafka_" in a.coordinates)
    assert versions[f"org.apache.kafka:{needed}"] == broker.rpartition(":")[2]
    assert len(versions) == len(jars)


def test_cache_is_where_the_user_says_else_where_it_can_be(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    chosen = {"RESYNC_CACHE": str(tmp_path / "mine"), "HOME": str(home)}
    assert Cache.choose(chosen).dir == tmp_path / "mine"
    assert Cache.choose({"XDG_CACHE_HOME": str(tmp_path / "x")}).dir == tmp_path / "x" / "selective-sync"
    assert Cache.choose({"HOME": str(home)}).dir == home / ".cache" / "selective-sync"
    assert Cache.choose({"HOME": str(tmp_path / "none")}).dir == REPO / ".local" / "cache"
    assert Cache.choose({}).dir == REPO / ".local" / "cache"


def test_a_file_of_another_size_is_missing(tmp_path: Path) -> None:
    cache, artifact = Cache(tmp_path), Artifact("a:b:1", SHA, 3)
    cache.file(artifact).parent.mkdir(parents=True)
    cache.file(artifact).write_bytes(b"ab")
    assert not cache.has(artifact)
    cache.file(artifact).write_bytes(b"abc")
    assert cache.has(artifact)


def test_an_archive_is_unpacked_once_and_then_given_up(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    artifact = Artifact("a:b:tar.gz:1", SHA, 1)
    cache.file(artifact).parent.mkdir(parents=True)
    with tarfile.open(cache.file(artifact), "w:gz") as archive:
        member = tarfile.TarInfo("app/run.jar")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"ok"))
    home = cache.unpack(artifact)
    assert (home / "app" / "run.jar").read_bytes() == b"ok"
    assert not cache.file(artifact).exists()
    assert cache.has(artifact)
    assert cache.unpack(artifact) == home
