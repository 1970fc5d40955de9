"""The Java artifacts, pinned by coordinates, size and sha256.

The stack's own, what a publisher in Java takes, and what the benchmark's peers do.
"""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stack.errors import StackError
from stack.layout import REPO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LOCK = Path(__file__).with_name("artifacts.lock.json")
EXAMPLES_LOCK = Path(__file__).with_name("examples.lock.json")
"""Of docs/examples, fetched by their tests alone: `java`, the class path, and `compiler`."""
PEERS_LOCK = Path(__file__).with_name("peers.lock.json")
"""Class paths of bench/peers, fetched when a benchmark asks for a peer: `java` and `streams`."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """`coordinates` in Maven's form: group:artifact[:extension[:classifier]]:version."""

    coordinates: str
    sha256: str
    size: int

    @property
    def path(self) -> str:
        """Where the file lies below the base of any Maven repository."""
        return repository_path(self.coordinates)

    @property
    def file_name(self) -> str:
        return self.path.rpartition("/")[2]


def repository_path(coordinates: str) -> str:
    match coordinates.split(":"):
        case [group, name, version]:
            extension, suffix = "jar", ""
        case [group, name, extension, version]:
            suffix = ""
        case [group, name, extension, classifier, version]:
            suffix = f"-{classifier}"
        case _:
            raise ValueError(f"not Maven coordinates: {coordinates}")
    return f"{group.replace('.', '/')}/{name}/{version}/{name}-{version}{suffix}.{extension}"


def parse_lock(text: str, name: str = LOCK.name) -> dict[str, tuple[Artifact, ...]]:
    """The artifacts by the service that needs them, in the order of the file."""
    try:
        content = json.loads(text)
        return {
            service: tuple(
                Artifact(entry["coordinates"], bytes.fromhex(entry["sha256"]).hex(), int(entry["size"]))
                for entry in entries
            )
            for service, entries in content.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StackError(
            f"{name} is damaged ({error!r}): restore it, or make it anew by python -m stack lock"
        ) from error


def format_lock(artifacts: Mapping[str, Sequence[Artifact]]) -> str:
    content = {
        service: [{"coordinates": a.coordinates, "sha256": a.sha256, "size": a.size} for a in entries]
        for service, entries in artifacts.items()
    }
    return json.dumps(content, indent=1) + "\n"


def read_lock(lock: Path = LOCK) -> dict[str, tuple[Artifact, ...]]:
    return parse_lock(lock.read_text(), lock.name)


@dataclass(frozen=True, slots=True)
class Cache:
    """Downloaded artifacts, shared by all stacks of a user."""

    dir: Path

    @classmethod
    def choose(cls, environ: Mapping[str, str]) -> Cache:
        """RESYNC_CACHE, else below the user's caches, else in the checkout."""
        if chosen := environ.get("RESYNC_CACHE"):
            return cls(Path(chosen).absolute())
        in_checkout = cls(REPO / ".local" / "cache")
        caches = environ.get("XDG_CACHE_HOME")
        home = environ.get("HOME")
        if not caches and not (home and Path(home).is_dir()):  # as root, making it would work and surprise
            return in_checkout
        wanted = (Path(caches) if caches else Path(home or "") / ".cache") / "selective-sync"
        try:
            wanted.mkdir(parents=True, exist_ok=True)
        except OSError:
            return in_checkout
        return cls(wanted) if os.access(wanted, os.W_OK) else in_checkout

    def file(self, artifact: Artifact) -> Path:
        return self.dir / "maven" / artifact.path

    def has(self, artifact: Artifact) -> bool:
        """By size: the sum was checked before the file got its name."""
        if self.unpacked(artifact).is_dir():
            return True
        file = self.file(artifact)
        return file.is_file() and file.stat().st_size == artifact.size

    def unpacked(self, artifact: Artifact) -> Path:
        return self.dir / "unpacked" / f"{artifact.file_name}-{artifact.sha256[:12]}"

    def unpack(self, artifact: Artifact) -> Path:
        """The directory with the content of a tar.gz; the archive itself is given up, it has served."""
        target = self.unpacked(artifact)
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(dir=target.parent))
            with tarfile.open(self.file(artifact)) as archive:
                # Python before 3.11.4 has no filters; the archive is the pinned one, whatever it holds was seen.
                archive.extraction_filter = getattr(tarfile, "data_filter", None)
                archive.extractall(unfinished)  # noqa: S202
            try:
                unfinished.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
                shutil.rmtree(unfinished)  # another stack was quicker
        self.file(artifact).unlink(missing_ok=True)
        return target
