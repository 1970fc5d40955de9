"""docs/performance.md, from a template and the figures of one run."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.tables import COLUMNS, held, rows, spent, told

TEMPLATE = Path(__file__).with_name("performance.md")
PLACE = re.compile(r"^<!-- ([a-z]+) -->$", re.MULTILINE)
Document = Mapping[str, Any]


def page(document: Document) -> str:
    """Raises KeyError where the template has a place that nothing fills."""
    return PLACE.sub(lambda place: _filled(place[1], document), TEMPLATE.read_text(encoding="utf-8"))


def _filled(name: str, document: Document) -> str:
    if name == "about":
        return about(document)
    if name == "growth":
        return "\n\n".join(lines(document))
    scenarios = [each for each in document["scenarios"] if each["group"] == name]
    return "\n\n".join(map(table, scenarios)) if scenarios else "Not part of this run."


def about(document: Document) -> str:
    machine, versions = document["machine"], document["versions"]
    all_versions = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"`{document['command']}`, {document['at']}, {document['took_s'] / 60:.0f} minutes, seed {document['seed']},"
        f" {document['rows']:,} rows a side, {machine['cores']} cores ({machine['architecture']}), load of the minute"
        f" before {machine['load_1m']}.\n{all_versions}."
    )


def table(scenario: Mapping[str, Any]) -> str:
    """What was wrong is told above, where a contender has no figure."""
    made = "\n".join(f"| {' | '.join(row)} |" for row in (COLUMNS, ["---"] * len(COLUMNS), *rows(scenario)))
    faults = "".join(f"\n\nNo figure: {fault}" for fault in scenario["faults"])
    return f"**{scenario['name']}**, {scenario['unit']}{faults}\n\n{made}"


def sizes(document: Document) -> dict[str, list[tuple[int, Mapping[str, Any]]]]:
    """Scenarios by what there is more and more of in them, least first."""
    found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for scenario in document["scenarios"]:
        if scenario["size"] is not None and scenario["contenders"][0]["repeats"]:
            of, size = scenario["size"]
            found.setdefault(of, []).append((size, scenario))
    return {of: sorted(points, key=lambda point: point[0]) for of, points in found.items()}


def lines(document: Document) -> Iterator[str]:
    """A table of everything that grows."""
    for of, points in sizes(document).items():
        unit = points[0][1]["unit"]
        made = [f"| {of} | turns | ours, {unit} | CPU s per 100,000 | peak MB |", "|---|---|---|---|---|"]
        for size, scenario in points:
            ours = scenario["contenders"][0]
            value = next(iter(ours["values"].values()))
            cpu, memory = spent(ours["cpu_s_per_100k"]), held(ours["peak_rss_mb"])
            made.append(f"| {size:,} | {ours['repeats']} | {told(value)} | {cpu} | {memory} |")
        yield "\n".join(made)
