"""All scenarios of a run, in turn."""

from collections.abc import Iterator, Sequence

from bench import applying, backlog, growth, latency, materializing, verification
from bench.backlog import Amount
from bench.measured import Contender, Measured, Scenario, Unit
from bench.options import Options
from bench.peers.workers import workers
from bench.planted import HALF, NOTHING, USUAL
from bench.workers import Worker
from bench.world import World

BESIDE_PEERS = frozenset({"backlog", "latency"})
"""Groups."""
LEAST_OUTCOMES = 100_000
"""With fewer the store is done before it is seen at work."""
MOST_CORRECTIONS = 100_000


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
    outcomes = max(options.keys, LEAST_OUTCOMES)
    yield materializing.scenario(outcomes)
    for each in (outcomes,) if options.quick else (outcomes, 4 * outcomes):
        yield _replay(each)
    yield applying.scenario(min(options.rows, MOST_CORRECTIONS))
    yield from growth.scenarios(options)


def _replay(outcomes: int) -> Scenario:
    def replay(world: World) -> Measured:
        [measured] = materializing.replays(world, (outcomes,))
        return measured

    contender, size = Contender("ours", replay), ("outcomes replayed", outcomes)
    return Scenario(
        "materializing", f"{outcomes:,} outcomes replayed", Unit.KEYS_PER_S, [contender], takes_long=True, size=size
    )
