"""How often the interpreter's allocator is asked for memory, by memray (ADR 0165)."""

import gc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from memray import AllocatorType, FileReader, Tracker

BY_PYTHON = frozenset({AllocatorType.PYMALLOC_MALLOC, AllocatorType.PYMALLOC_CALLOC, AllocatorType.PYMALLOC_REALLOC})
"""Memory of Python objects. What libraries of C take for themselves depends on how bytes come in."""


def allocations(work: Callable[[], object]) -> int:
    """Of all threads while `work` runs, which has been done before, on other data.

    Whatever is kept counts, once an object and once more for what it has beside itself, as a list's items. So does
    whatever is given back, but for small tuples, lists, dicts and floats that take the place of one that was just
    given back.
    """
    count = 0
    with TemporaryDirectory() as folder:
        file = Path(folder, "allocations")
        gc.collect()  # what the interpreter keeps to use again is gone after this
        gc.disable()
        try:
            with Tracker(file, trace_python_allocators=True):
                kept = work()
        finally:
            gc.enable()
        del kept
        with FileReader(file) as found:
            count = sum(1 for each in found.get_allocation_records() if each.allocator in BY_PYTHON)
    return count
