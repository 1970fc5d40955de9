"""A scenario's figures, as they are kept, as rows for people; and a table of them on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.contend import figure
from processor.cli.output import console

COLUMNS = (
    "",
    "value",
    "turns",
    "median (least to most)",
    "ours is times as fast",
    "wanted",
    "CPU s per 100,000",
    "peak MB",
)
Scenario = Mapping[str, Any]


def rows(scenario: Scenario) -> Iterator[Sequence[str]]:
    """One a value of each contender that has figures."""
    for each in scenario["contenders"]:
        name, turns = each["name"], str(each["repeats"])
        cpu, memory = spent(each["cpu_s_per_100k"]), held(each["peak_rss_mb"])
        for what, spread in each["values"].items():
            ratio = told(each["ratios"][what]) if what in each["ratios"] else ""
            wanted = f"{each['goals'][what]:.3g}" if what in each["goals"] else ""
            yield name, what, turns, told(spread), ratio, wanted, cpu, memory
            name = turns = cpu = memory = ""


def told(spread: Mapping[str, float]) -> str:
    if spread["least"] == spread["most"]:
        return figure(spread["median"])
    return f"{figure(spread['median'])} ({figure(spread['least'])} to {figure(spread['most'])})"


def spent(cpu: Mapping[str, Mapping[str, float]]) -> str:
    """All, then by kind of process, where it can be seen."""
    seen = {kind: spread["median"] for kind, spread in cpu.items() if spread["median"] >= 0.005}
    parts = ", ".join(f"{kind} {each:.2f}" for kind, each in seen.items())
    return f"{sum(seen.values()):.2f} ({parts})" if seen else ""


def held(peaks: Mapping[str, Mapping[str, float]]) -> str:
    return ", ".join(f"{kind} {spread['median']:.0f}" for kind, spread in peaks.items())


def show(scenario: Scenario) -> None:
    """On stdout."""
    from rich import box
    from rich.table import Table

    title = f"{scenario['name']}, {scenario['unit']}: {scenario['took_s']:.0f} s"
    table = Table(*COLUMNS, title=title, title_justify="left", box=box.SIMPLE)
    for row in rows(scenario):
        table.add_row(*row)
    console().print(table)
