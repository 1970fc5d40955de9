"""The file of a benchmark's figures: `bench/out/latest.json`. docs/performance.md is made of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.contend import Contest
from bench.measured import Measured, Result, Spread, ratios

OUT = Path(__file__).parent / "out" / "latest.json"


def document(contests: Iterable[Contest], about: Mapping[str, Any]) -> dict[str, Any]:
    """`about` has what goes for all: command, seed, rows, versions, machine."""
    return {**about, "scenarios": [scenario_of(contest) for contest in contests]}


def keep(file: Path, contests: Iterable[Contest], about: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(_rounded(document(contests, about)), indent=1) + "\n", encoding="utf-8")


def scenario_of(contest: Contest) -> dict[str, Any]:
    scenario = contest.result.scenario
    return {
        "group": scenario.group,
        "name": scenario.name,
        "unit": scenario.unit,
        "rows": scenario.rows,
        "size": scenario.size,
        "took_s": contest.took_s,
        "faults": [*contest.faults],
        "contenders": [_contender(contest.result, each.name, each.goals) for each in scenario.contenders],
        "repeats": [_repeat(contest.result, repeat) for repeat in contest.result.repeats],
    }


def _contender(result: Result, name: str, goals: Mapping[str, float]) -> dict[str, Any]:
    """Of all repeats in which it has a figure."""
    return {
        "name": name,
        "repeats": len(result.of(name)),
        "values": _spreads(result.values(name)),
        "cpu_s_per_100k": _spreads(result.cpu_s_per_100k(name)),
        "peak_rss_mb": _spreads(result.peak_rss_mb(name)),
        "ratios": _spreads(result.ratios(name)) if name != result.scenario.contenders[0].name else {},
        "goals": dict(goals),
    }


def _repeat(result: Result, measured: Mapping[str, Measured]) -> dict[str, Any]:
    ours = result.scenario.contenders[0].name
    against = {
        name: ratios(result.scenario.unit, measured[ours], each)
        for name, each in measured.items()
        if name != ours and ours in measured
    }
    return {"measured": {name: asdict(each) for name, each in measured.items()}, "ratios": against}


def _spreads(spreads: Mapping[str, Spread]) -> dict[str, Any]:
    return {name: asdict(spread) for name, spread in spreads.items()}


def _rounded(told: Any) -> Any:  # noqa: ANN401  (whatever JSON may be)
    """To four digits, as more would not be repeatable."""
    match told:
        case float():
            return float(f"{told:.4g}") if abs(told) < 10_000 else round(told)
        case dict():
            return {name: _rounded(each) for name, each in told.items()}
        case list() | tuple():
            return [_rounded(each) for each in told]
        case _:
            return told
