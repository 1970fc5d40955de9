"""Contenders in Java, compiled by Eclipse's compiler on the runtime of the stack: no JDK is needed."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers.environment import PLACE
from bench.world import RunFailed
from processor.cli.output import say
from stack import download
from stack.artifacts import EXAMPLES_LOCK, PEERS_LOCK, Artifact, Cache, read_lock
from stack.jvm import java

SOURCES = Path(__file__).with_name("java")
SHARED = "job"
OPTIONS = ("-21", "-failOnWarning")
FLAGS = ("-Xmx512m", "-XX:+UseParallelGC", "-XX:+ExitOnOutOfMemoryError", "--enable-native-access=ALL-UNNAMED")


@dataclass(frozen=True, slots=True)
class Program:
    """`folder` of the sources is its own, beside what all share; `section` is its class path's among the artifacts."""

    folder: str
    section: str
    main: str

    def prepare(self) -> None:
        """Downloads and compiles what is missing. Raises RunFailed or StackError, which name it."""
        cache = Cache.choose(os.environ)
        [compiler] = read_lock(EXAMPLES_LOCK)["compiler"]
        download.fetch_missing([compiler, *self._jars()], cache, os.environ, say)
        if not self._classes.is_dir():
            say(f"compiling {self.main} …")
            self._compile(cache.file(compiler))

    def command(self, *arguments: str) -> Sequence[str]:
        """Once it is prepared."""
        path = os.pathsep.join([str(self._classes), self._class_path()])
        return [str(java()), *FLAGS, "-cp", path, self.main, *arguments]

    @property
    def _classes(self) -> Path:
        """Of these sources and these artifacts."""
        wanted = hashlib.sha256(PEERS_LOCK.read_bytes())
        for source in self._sources():
            wanted.update(source.read_bytes())
        return PLACE / self.folder / wanted.hexdigest()[:12]

    def _compile(self, compiler: Path) -> None:
        shutil.rmtree(self._classes.parent, ignore_errors=True)  # of other sources
        self._classes.parent.mkdir(parents=True)
        unfinished = tempfile.mkdtemp(dir=self._classes.parent)
        done = subprocess.run(
            [java(), "-jar", compiler, *OPTIONS, "-cp", self._class_path(), "-d", unfinished, *self._sources()],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RunFailed(f"{self.main} does not compile:\n{done.stdout}{done.stderr}")
        Path(unfinished).rename(self._classes)

    def _sources(self) -> list[Path]:
        return sorted(source for folder in (SHARED, self.folder) for source in (SOURCES / folder).glob("*.java"))

    def _jars(self) -> Iterable[Artifact]:
        return read_lock(PEERS_LOCK)[self.section]

    def _class_path(self) -> str:
        cache = Cache.choose(os.environ)
        return os.pathsep.join(str(cache.file(jar)) for jar in self._jars())
