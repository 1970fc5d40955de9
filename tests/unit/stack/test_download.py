"""Against a repository in a directory, and one on this machine: no network."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from stack.artifacts import Artifact, Cache
from stack.download import ATTEMPTS, BLOCK, fetch_missing
from stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator
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


class Server(ThreadingHTTPServer):
    """A repository of one file that gives `given` bytes of it, in blocks so far apart, then closes the connection."""

    daemon_threads = True

    def __init__(self, content: bytes, given: list[int], apart_s: float = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.given, self.apart_s = content, given, apart_s
        self.has_begun = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        with suppress(OSError):  # the other side may leave first
            for begin in range(0, self.server.given.pop(0), BLOCK):
                self.wfile.write(self.server.content[begin : begin + BLOCK])
                self.server.has_begun.set()
                time.sleep(self.server.apart_s)


@contextmanager
def serving(server: Server) -> Iterator[dict[str, str]]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {"RESYNC_MAVEN_REPO": f"http://127.0.0.1:{server.server_port}"}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def of(content: bytes) -> Artifact:
    return Artifact("org.x:kit:1", hashlib.sha256(content).hexdigest(), len(content))


def test_a_connection_that_ends_early_is_made_again_and_at_last_told_as_that(cache: Cache) -> None:
    content = bytes(BLOCK * 3)
    told = pytest.raises(StackError, match=rf"could not download org\.x:kit:1(?s:.*) {2 * BLOCK} bytes missing")
    with serving(Server(content, [BLOCK] * ATTEMPTS)) as environ, told:
        fetch_missing([of(content)], cache, environ, lambda _: None)
    with serving(Server(content, [BLOCK, len(content)])) as environ:
        fetch_missing([of(content)], cache, environ, lambda _: None)
    assert cache.has(of(content))


@pytest.fixture
def heard_interrupts() -> Iterator[None]:
    """As in a terminal: what a shell runs in the background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard_interrupts")
def test_an_interrupt_ends_what_is_under_way(cache: Cache) -> None:
    content = bytes(BLOCK * 1000)
    server = Server(content, [len(content)], apart_s=0.005)

    def interrupt() -> None:
        server.has_begun.wait()
        os.kill(os.getpid(), signal.SIGINT)  # to the process, as a terminal does

    threading.Thread(target=interrupt).start()
    with serving(server) as environ, pytest.raises(KeyboardInterrupt):
        fetch_missing([of(content)], cache, environ, lambda _: None)
    assert not cache.has(of(content))
    assert not list(cache.dir.rglob("*.part"))
