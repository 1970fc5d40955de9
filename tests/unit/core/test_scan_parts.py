"""How many parts a scan has, in a model of servers that read so many rows a second."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from processor.core.catalog import Limits
from processor.core.chunk import Scan
from processor.core.digest import next_sizes
from processor.core.request import Report
from processor.core.scan import MAX_LINES, MAX_SIZE
from processor.core.window import Window

ROWS = 400_000
DIGEST_S, LINE_S, COLUMNS_S = 1e-6, 1.3e-6, 2e-5
Is = Callable[[int], bool]


def nothing(_row: int) -> bool:
    return False


def parts(is_off: Is, is_alike: Is = nothing) -> tuple[int, int]:
    """How many a scan has, and how many keys are suspects though they do not differ.

    `is_off` rows differ really, `is_alike` ones in what only their columns tell to be no difference.
    """
    scan, mistaken = Scan(None, 0, 1_000, ROWS, 10_000), 0
    begin = 0
    while True:
        seen, took_s = _read(scan, begin, is_off, is_alike)
        mistaken += sum(not is_off(int(key)) for key in seen.suspects)
        rows = seen.settled + len(seen.suspects)
        begin += rows
        if begin >= ROWS:
            return scan.part + 1, mistaken
        size, digest, by_rows = next_sizes(scan, seen, took_s, Report.CHANGES, Limits())
        scan = replace(scan, part=scan.part + 1, size=size, digest=digest, by_rows=by_rows)


def _read(scan: Scan, begin: int, is_off: Is, is_alike: Is) -> tuple[Window, float]:
    """As `service/scan.py: read_part` does it."""
    took_s = 0.0
    if scan.digest:
        end = min(ROWS, begin + scan.digest)
        took_s = (end - begin) * DIGEST_S
        if not any(is_off(row) or is_alike(row) for row in range(begin, end)):
            return Window(str(end), counted=end - begin), took_s
    if scan.by_rows:
        rows = range(begin, min(ROWS, begin + min(scan.size, MAX_SIZE)))
        off = [str(row) for row in rows if is_off(row)]
        seen = Window(str(rows[-1]), equal=[None] * (len(rows) - len(off)), suspects=off, differing=len(off))
        return seen, took_s + len(rows) * COLUMNS_S
    rows = range(begin, min(ROWS, begin + max(scan.size, min(scan.digest, MAX_LINES))))
    off = [str(row) for row in rows if is_off(row) or is_alike(row)]
    seen = Window(str(rows[-1]), equal=[None] * (len(rows) - len(off)), suspects=off, differing=len(off))
    return seen, took_s + len(rows) * LINE_S


@pytest.mark.parametrize("every", [33, 5_000])
def test_rows_that_differ_early_do_not_keep_digests_away_for_the_rest(every: int) -> None:
    """Of which columns would be read in eighty parts."""
    usual, _ = parts(lambda row: row % every == 0)
    found, _ = parts(lambda row: row < 5_000 or row % every == 0)
    assert found <= usual + 20


def test_where_digests_tell_nothing_they_are_tried_of_few_rows() -> None:
    """Texts that are equal by a rule in every row: a key that is read again for nothing costs more than its columns."""
    found, mistaken = parts(nothing, lambda _row: True)
    assert found <= ROWS // MAX_SIZE * 1.1
    assert mistaken <= 10_000 + ROWS / MAX_SIZE / 16 * 1_000


def test_a_table_of_which_nothing_is_off_has_few_parts() -> None:
    assert parts(nothing)[0] <= 3
