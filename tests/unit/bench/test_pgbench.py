"""What pgbench prints, and what is made of it."""

import pytest

from bench.pgbench import Done, parse, slowed_by
from bench.world import RunFailed

TOLD = """\
pgbench (18.6)
transaction type: <builtin: select only>
scaling factor: 5
number of clients: 4
number of transactions actually processed: 12345
number of failed transactions: 0 (0.000%)
latency average = 1.621 ms
initial connection time = 7.123 ms
tps = 2467.018423 (without initial connection time)
"""


def test_what_pgbench_tells() -> None:
    assert parse(TOLD) == Done(tps=2467.018423, ms=1.621)


def test_what_pgbench_does_not_tell_is_no_figure() -> None:
    with pytest.raises(RunFailed, match="told no figures: pgbench: aborted"):
        parse("pgbench: aborted\n")


@pytest.mark.parametrize(("beside", "lost"), [(1_000.0, 0.0), (900.0, 0.1), (1_010.0, -0.01)])
def test_the_share_of_transactions_that_were_lost(beside: float, lost: float) -> None:
    assert slowed_by(1_000.0, beside) == lost
