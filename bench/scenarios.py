"""All scenarios of a run, in turn."""

from collections.abc import Iterator, Sequence

from bench import backlog, growth, latency, verification
from bench.backlog import Amount
from bench.measured import Scenario
from bench.options import Options
from bench.peers.workers import workers
from bench.planted import HALF, NOTHING, USUAL
from bench.workers import Worker

BESIDE_PEERS = frozenset({"backlog", "latency"})
"""Groups."""


def scenarios(options: Options) -> Sequence[Scenario]:
    """Those that were asked for. Peers are made ready where they take part. Raises RunFailed and StackError."""
    peers = workers() if options.peers and BESIDE_PEERS & {*options.only} else ()
    return [each for each in _all(options, peers) if each.group in options.only]


def _all(options: Options, peers: Sequence[Worker]) -> Iterator[Scenario]:
    """All peers where requests have 100 keys, else the fastest, which is the first."""
    fastest = peers[:1]
    yield backlog.scenario(Amount(options.keys, 1), fastest)
    yield backlog.scenario(Amount(options.keys, 100), peers)
    if not options.quick:
        yield backlog.scenario(Amount(options.keys, 1_000), fastest)
    yield backlog.scenario(Amount(options.keys, 100, HALF), fastest)
    yield latency.idle(options.seconds, fastest if options.quick else peers)
    yield latency.beside(options.seconds)
    plantings = (USUAL, NOTHING) if options.quick else (USUAL, NOTHING, HALF)
    yield from verification.scenarios(plantings, beside=options.peers)
    yield from growth.scenarios(options)
