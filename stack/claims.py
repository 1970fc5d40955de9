"""Blocks of ports that a stack is about to use: of stacks that start at once, one alone finds each block free."""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_SHARED = Path("/var/tmp")  # noqa: S108  (a folder of the user's own in it; the same whatever TMPDIR says)


class Claims:
    """A context manager that holds what it claimed, by a lock a block; a process that dies gives it back.

    For stacks of one user. To be left once the services listen, who then keep their ports themselves.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _SHARED / f"selective-sync-ports-{os.getuid()}"
        self._held = ExitStack()
        self._bases: set[int] = set()

    def __enter__(self) -> Self:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._held.close()
        self._bases.clear()

    def take(self, base: int) -> bool:
        """Whether the block that begins here is this stack's from now on; False where another one has it."""
        if base in self._bases:
            return True
        file = (self._folder / str(base)).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held.enter_context(file)
        self._bases.add(base)
        return True
