"""Contenders of a scenario take turns, repeat by repeat; whoever has a wrong count has no figure in that repeat."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.measured import FEW_REPEATS, Contender, Measured, Result, Scenario, ratios
from bench.traffic import WrongCount
from bench.world import RunFailed, World
from processor.cli.output import say
from stack.errors import StackError

FAULTS = (WrongCount, RunFailed, TimeoutError, StackError)


@dataclass(frozen=True, slots=True)
class Contest:
    """What came of a scenario: figures, and what was wrong where there is none."""

    result: Result
    took_s: float
    faults: Sequence[str] = field(default_factory=tuple)


def contend(world: World, scenario: Scenario, repeats: int) -> Contest:
    """Each repeat begins with another contender, so that none always comes after the same one."""
    began = time.monotonic()
    if world.planting != scenario.planting:
        world.plant(scenario.planting)
    done, faults = _repeated(world, scenario, 1 if scenario.takes_long and repeats <= FEW_REPEATS else repeats)
    return Contest(Result(scenario, done), time.monotonic() - began, faults)


def _repeated(world: World, scenario: Scenario, repeats: int) -> tuple[list[dict[str, Measured]], list[str]]:
    done: list[dict[str, Measured]] = []
    faults: list[str] = []
    for repeat in range(repeats):
        measured: dict[str, Measured] = {}
        for contender in in_turn(scenario.contenders, repeat):
            if contender.takes_long and repeat and repeats <= FEW_REPEATS:
                continue
            where = f"{scenario.name}, repeat {repeat + 1} of {repeats}, {contender.name}"
            try:
                measured[contender.name] = contender.measure(world)
            except FAULTS as fault:
                faults.append(f"{where}: {fault}")
                say(f"{where}: no figure: {fault}")
            else:
                say(f"{where}: {told(scenario, measured[contender.name])}{_against(scenario, measured, contender)}")
        done.append(measured)
    return done, faults


def in_turn(contenders: Sequence[Contender], repeat: int) -> Sequence[Contender]:
    first = repeat % len(contenders)
    return [*contenders[first:], *contenders[:first]]


def told(scenario: Scenario, measured: Measured) -> str:
    figures = ", ".join(f"{name} {figure(value)} {scenario.unit}" for name, value in measured.values.items())
    spent = sum(measured.cpu_s_per_100k.values())
    return f"{figures}; {spent:.2f} CPU s per 100,000" if spent else figures


def _against(scenario: Scenario, measured: dict[str, Measured], contender: Contender) -> str:
    ours = scenario.contenders[0]
    if contender is ours or ours.name not in measured:
        return ""
    times = ratios(scenario.unit, measured[ours.name], measured[contender.name])
    return f"; ours is {', '.join(f'{ratio:.2f}' for ratio in times.values())} times as fast"


def figure(value: float) -> str:
    """Three digits or all before the point, for people."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
