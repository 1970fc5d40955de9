"""Fetches missing artifacts into the cache, several at a time; a file gets its name only when its sum is right."""

from __future__ import annotations

import fcntl
import hashlib
import os
import ssl
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.request import Request, urlopen

from stack import maven
from stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stack.artifacts import Artifact, Cache

THREADS = 6
ATTEMPTS = 3
TIMEOUT_S = 30
BLOCK = 1 << 16
MB = 1e6


class Progress:
    """Counts; on a terminal one line that is drawn over, else a line for each tenth."""

    def __init__(self, artifacts: Sequence[Artifact], say: Callable[[str], None]) -> None:
        self.files, self.bytes = 0, 0
        self.is_interrupted = False
        self._total_files, self._total_bytes = len(artifacts), sum(artifact.size for artifact in artifacts)
        self._say, self._lock = say, threading.Lock()
        self._terminal = sys.stderr.isatty()
        self._shown_at, self._shown_tenth = 0.0, 0

    def received(self, count: int) -> None:
        """Raises StackError once the whole was interrupted, which ends a file that is under way."""
        if self.is_interrupted:
            raise StackError("interrupted")
        with self._lock:
            self.bytes += count
            if self._terminal and time.monotonic() - self._shown_at > 0.1:
                self._draw()
            elif not self._terminal and self.bytes * 10 // self._total_bytes > self._shown_tenth:
                self._shown_tenth = self.bytes * 10 // self._total_bytes
                self._say(self._line())

    def finished_one(self) -> None:
        with self._lock:
            self.files += 1

    def close(self) -> None:
        if self._terminal:
            self._draw()
            sys.stderr.write("\n")

    def _line(self) -> str:
        return f"  {self.files}/{self._total_files} files, {self.bytes / MB:.0f}/{self._total_bytes / MB:.0f} MB"

    def _draw(self) -> None:
        self._shown_at = time.monotonic()
        sys.stderr.write(f"\r{self._line()} ")
        sys.stderr.flush()


def fetch_missing(
    artifacts: Sequence[Artifact], cache: Cache, environ: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Blocks until all are in the cache; what arrived stays there when one of them fails."""
    if all(cache.has(artifact) for artifact in artifacts):
        return
    cache.dir.mkdir(parents=True, exist_ok=True)
    with (cache.dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another stack may be fetching the same
        missing = [artifact for artifact in artifacts if not cache.has(artifact)]
        if missing:
            _fetch_all(missing, cache, environ, say)


def _fetch_all(
    missing: Sequence[Artifact], cache: Cache, environ: Mapping[str, str], say: Callable[[str], None]
) -> None:
    base, started = maven.repository_base(environ), time.monotonic()
    size = sum(artifact.size for artifact in missing)
    say(f"Downloading {len(missing)} Java artifacts, {size / MB:.0f} MB, to {cache.dir}")
    progress = Progress(missing, say)
    largest_first = sorted(missing, key=lambda artifact: -artifact.size)
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            fetches = [pool.submit(_fetch, artifact, base, cache, environ, progress) for artifact in largest_first]
            for fetch in as_completed(fetches):
                fetch.result()
        except StackError as error:
            pool.shutdown(cancel_futures=True)
            progress.close()
            there = sum(cache.has(artifact) for artifact in missing)
            raise StackError(
                f"{error}\n{there} of {len(missing)} files are there: run the same command again to go on from them"
            ) from error
        except KeyboardInterrupt:
            progress.is_interrupted = True
            pool.shutdown(cancel_futures=True)
            progress.close()
            raise
    progress.close()
    say(f"downloaded {size / MB:.0f} MB in {time.monotonic() - started:.1f} s")


def _fetch(artifact: Artifact, base: str, cache: Cache, environ: Mapping[str, str], progress: Progress) -> None:
    url = f"{base}/{artifact.path}"
    for attempt in range(1, ATTEMPTS + 1):
        counted = 0

        def count(size: int) -> None:
            nonlocal counted
            counted += size
            progress.received(size)

        try:
            _fetch_once(artifact, url, cache.file(artifact), environ, count)
        except (OSError, HTTPException, ValueError) as error:  # network, protocol, malformed address
            progress.received(-counted)
            if attempt == ATTEMPTS or getattr(error, "code", None) in (401, 403, 404):
                raise StackError(f"could not download {artifact.coordinates}\n  from {url}: {error}") from error
        else:
            progress.finished_one()
            return


def _fetch_once(
    artifact: Artifact, url: str, target: Path, environ: Mapping[str, str], count: Callable[[int], None]
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    unfinished, digest = Path(name), hashlib.sha256()
    try:
        with os.fdopen(descriptor, "wb") as file, _open(url, environ) as response:
            while block := response.read(BLOCK):
                file.write(block)
                digest.update(block)
                count(len(block))
            if missing := getattr(response, "length", None):  # read() itself says nothing of it
                raise OSError(f"the connection ended with {missing} bytes missing")
        if digest.hexdigest() != artifact.sha256:
            raise StackError(
                f"{artifact.coordinates}\n  from {url} is not the pinned file: "
                f"sha256 {digest.hexdigest()}, wanted {artifact.sha256}"
            )
        unfinished.chmod(0o644)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _open(url: str, environ: Mapping[str, str]) -> IO[bytes]:
    """Proxies come from the environment; certificates from where pip and requests look, else from the system."""
    certificates = next((environ[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE") if environ.get(name)), None)
    context = ssl.create_default_context(cafile=certificates)
    request = Request(url, headers={"User-Agent": "selective-sync"})  # noqa: S310  (file: repositories are allowed)
    response: IO[bytes] = urlopen(request, timeout=TIMEOUT_S, context=context)  # noqa: S310
    return response
