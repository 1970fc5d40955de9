"""Against a repository in a directory: no network."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from stack.artifacts import Artifact, Cache
from stack.download import fetch_missing
from stack.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path


def publish(repository: Path, coordinates: str, content: bytes) -> Artifact:
    artifact = Artifact(coordinates, hashlib.sha256(content).hexdigest(), len(content))
    (repository / artifact.path).parent.mkdir(parents=True)
    (repository / artifact.path).write_bytes(content)
    return artifact


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return tmp_path / "repository"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_missing_files_are_fetched_and_counted(repository: Path, cache: Cache) -> None:
    artifacts = [publish(repository, f"org.x:kit{i}:1", bytes([i]) * 100) for i in range(5)]
    said: list[str] = []
    fetch_missing(artifacts, cache, {"RESYNC_MAVEN_REPO": repository.as_uri()}, said.append)
    assert all(cache.file(artifact).read_bytes() == bytes([i]) * 100 for i, artifact in enumerate(artifacts))
    assert said[0].startswith("Downloading 5 Java artifacts")
    assert said[-1].startswith("downloaded 0 MB in ")


def test_nothing_is_asked_for_when_all_is_there(repository: Path, cache: Cache) -> None:
    artifacts = [publish(repository, "org.x:kit:1", b"content")]
    fetch_missing(artifacts, cache, {"RESYNC_MAVEN_REPO": repository.as_uri()}, lambda _: None)
    fetch_missing(artifacts, cache, {"RESYNC_MAVEN_REPO": "file:///nowhere"}, pytest.fail)


def test_a_failure_names_the_artifact_and_keeps_the_rest(repository: Path, cache: Cache) -> None:
    here = publish(repository, "org.x:kit:1", b"content")
    gone = Artifact("org.x:gone:1", "00" * 32, 9)
    with pytest.raises(StackError, match=r"could not download org\.x:gone:1(?s:.*)1 of 2 files are there") as failure:
        fetch_missing([here, gone], cache, {"RESYNC_MAVEN_REPO": repository.as_uri()}, lambda _: None)
    assert "again" in str(failure.value)
    assert cache.has(here)
    assert not list(cache.dir.rglob("*.part"))


def test_another_file_than_the_pinned_one_gets_no_name(repository: Path, cache: Cache) -> None:
    pinned = publish(repository, "org.x:kit:1", b"content")
    (repository / pinned.path).write_bytes(b"CONTENT")
    with pytest.raises(StackError, match=r"org\.x:kit:1(?s:.*)not the pinned file"):
        fetch_missing([pinned], cache, {"RESYNC_MAVEN_REPO": repository.as_uri()}, lambda _: None)
    assert not cache.has(pinned)
    assert not list(cache.dir.rglob("*.part"))
