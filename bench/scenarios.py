"""All scenarios of a run, in turn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench import applying, backlog, growth, latency, materializing, verification
from bench.backlog import Amount
from bench.measured import Contender, Measured, Scenario, Unit
from bench.options import Options
from bench.peers.workers import workers
from bench.planted import HALF, NOTHING, USUAL
from bench.workers import Worker
from bench.world import OTHER_SHARE, World

BESIDE_PEERS = frozenset({"backlog", "latency"})
"""Groups."""


@dataclass(frozen=True, slots=True)
class Amounts:
    outcomes: int
    """With fewer the store is done before it is seen at work."""
    corrections: int


USUAL_AMOUNTS, QUICK_AMOUNTS = Amounts(100_000, 50_000), Amounts(30_000, 10_000)


def scenarios(options: Options) -> Sequence[Scenario]:
    """Those that were asked for. Peers are made ready where they take part. Raises RunFailed and StackError."""
    peers = workers() if options.peers and BESIDE_PEERS & {*options.only} else ()
    return [each for each in every(options, peers) if each.group in options.only]


def every(options: Options, peers: Sequence[Worker]) -> Iterator[Scenario]:
    """All peers where requests have 1 key or 100, else the fastest, which is the first; quickly each of them once."""
    usual = Amount(options.keys, 100)
    others = [replace(usual, per_request=1), replace(usual, per_request=1_000), replace(usual, planting=HALF)]
    fastest, floors = () if options.quick else peers[:1], not options.quick
    beside = (() if options.quick else peers, fastest, fastest)
    by_one, by_thousand, half = (
        backlog.scenario(each, some, floors=floors) for each, some in zip(others, beside, strict=True)
    )
    yield by_one
    yield backlog.scenario(usual, peers)
    yield by_thousand
    yield half
    of_each = min(options.keys // 2, options.rows // (OTHER_SHARE + 1))
    for per_request in (100,) if options.quick else (1, 100, 1_000):
        yield backlog.of_two_districts(Amount(of_each, per_request), fastest)
    yield latency.idle(options.seconds, peers[:1] if options.quick else peers)
    yield latency.beside(options.seconds)
    yield from verification.scenarios((USUAL, NOTHING, HALF), beside=options.peers)
    amounts = QUICK_AMOUNTS if options.quick else USUAL_AMOUNTS
    yield materializing.scenario(amounts.outcomes)
    for times in (1,) if options.quick else (1, 4):
        yield _replay(times * amounts.outcomes)
    yield applying.scenario(min(options.rows, amounts.corrections))
    yield from growth.scenarios(options)


def _replay(outcomes: int) -> Scenario:
    def replay(world: World) -> Measured:
        [measured] = materializing.replays(world, (outcomes,))
        return measured

    contender, size = Contender("ours", replay), ("outcomes replayed", outcomes)
    return Scenario("materializing", f"{outcomes:,} outcomes replayed", Unit.KEYS_PER_S, [contender], size=size)
