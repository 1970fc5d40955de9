"""Contenders of a scenario take turns, repeat by repeat; whoever has a wrong count has no figure in that repeat."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.measured import Contender, Measured, Result, Scenario, ratios
from bench.traffic import WrongCount
from bench.world import RunFailed, World
from processor.cli.output import say
from stack.errors import StackError

Turn: TypeAlias = Callable[[Scenario, Contender], AbstractContextManager[object]]
"""What is around a contender's turn."""
FAULTS = (WrongCount, RunFailed, TimeoutError, StackError)


@dataclass(frozen=True, slots=True)
class Contest:
    """What came of a scenario: figures, and what was wrong where there is none."""

    result: Result
    took_s: float
    faults: Sequence[str] = field(default_factory=tuple)


def alone(_scenario: Scenario, _contender: Contender) -> AbstractContextManager[object]:
    return nullcontext()


def contend(world: World, scenario: Scenario, repeats: int | None, turn: Turn = alone) -> Contest:
    """So many repeats, or as many as are usual of the scenario and of each contender."""
    began = time.monotonic()
    if world.planting != scenario.planting:
        world.plant(scenario.planting)
    done, faults = _repeated(world, scenario, repeats, turn)
    return Contest(Result(scenario, done), time.monotonic() - began, faults)


def _repeated(
    world: World, scenario: Scenario, asked: int | None, turn: Turn
) -> tuple[list[dict[str, Measured]], list[str]]:
    done: list[dict[str, Measured]] = []
    faults: list[str] = []
    repeats = asked or scenario.repeats
    for repeat in range(repeats):
        measured: dict[str, Measured] = {}
        for contender in scenario.repeat(repeat, asked):
            where = f"{scenario.name}, repeat {repeat + 1} of {repeats}, {contender.name}"
            try:
                with turn(scenario, contender):
                    measured[contender.name] = contender.measure(world)
            except FAULTS as fault:
                faults.append(f"{where}: {fault}")
                say(f"{where}: no figure: {fault}")
            else:
                say(f"{where}: {told(scenario, measured[contender.name])}{_against(scenario, measured, contender)}")
        done.append(measured)
    return done, faults


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
