"""A plot of one run as SVG: bars with their least and most for contenders, lines for what grows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from bench.contend import figure
from bench.page import Document, sizes

WIDTH, MARGIN, NAMES = 880, 20, 260
BAR, GAP, TITLE = 16, 6, 30
HEIGHT, AXIS = 170, 46
OURS, THEIRS, INK, PALE = "#1f6feb", "#9aa4ae", "#24292f", "#d0d7de"
Scenario = Mapping[str, Any]


def plot(document: Document) -> str:
    parts: list[str] = []
    top = MARGIN
    for scenario in document["scenarios"]:
        if len([each for each in scenario["contenders"] if each["values"]]) > 1:
            top, drawn = bars(scenario, top)
            parts += drawn
    for of, points in sizes(document).items():
        if len(points) > 1:
            top, drawn = line(of, points, top)
            parts += drawn
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}"',
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{top}" fill="white"/>',
            *parts,
            "</svg>\n",
        ]
    )


def bars(scenario: Scenario, top: int) -> tuple[int, list[str]]:
    """Where the next one begins, and a bar a contender, of its first value."""
    told = [(each["name"], next(iter(each["values"].values()))) for each in scenario["contenders"] if each["values"]]
    what = next(iter(scenario["contenders"][0]["values"]), "")
    better = "more" if scenario["unit"].endswith("/s") else "less"
    parts = [_text(MARGIN, top + 14, f"{scenario['name']}: {what}, {scenario['unit']} ({better} is better)", bold=True)]
    top += TITLE
    most = max(spread["most"] for _, spread in told)
    scale = (WIDTH - NAMES - 130) / most
    for place, (name, spread) in enumerate(told):
        middle, right = top + BAR / 2, NAMES + spread["median"] * scale
        parts += [
            _text(NAMES - 8, middle + 4, name, anchor="end"),
            _bar(top, right - NAMES, THEIRS if place else OURS),
            _line(NAMES + spread["least"] * scale, middle, NAMES + spread["most"] * scale, middle, INK),
            _text(NAMES + spread["most"] * scale + 6, middle + 4, figure(spread["median"])),
        ]
        top += BAR + GAP
    return top + GAP, parts


def line(of: str, points: Sequence[tuple[int, Scenario]], top: int) -> tuple[int, list[str]]:
    """Both axes by powers of ten; the first value of ours."""
    unit = points[0][1]["unit"]
    spreads = [next(iter(scenario["contenders"][0]["values"].values())) for _, scenario in points]
    found = [(size, spread["median"]) for (size, _), spread in zip(points, spreads, strict=True)]
    xs, ys = _decades([size for size, _ in found]), _decades([value for _, value in found])
    left, right, bottom = MARGIN + 60, WIDTH - MARGIN - 60, top + TITLE + HEIGHT

    def at(size: float, value: float) -> tuple[float, float]:
        x = left + (right - left) * (math.log10(size) - xs[0]) / (xs[1] - xs[0])
        return x, bottom - HEIGHT * (math.log10(value) - ys[0]) / (ys[1] - ys[0])

    parts = [_text(MARGIN, top + 14, f"ours by {of}, {unit}", bold=True)]
    for power in range(xs[0], xs[1] + 1):
        x, _ = at(10.0**power, 10.0 ** ys[0])
        parts += [
            _line(x, bottom, x, bottom - HEIGHT, PALE),
            _text(x, bottom + 16, figure(10.0**power), anchor="middle"),
        ]
    for power in range(ys[0], ys[1] + 1):
        _, y = at(10.0 ** xs[0], 10.0**power)
        parts += [_line(left, y, right, y, PALE), _text(left - 8, y + 4, figure(10.0**power), anchor="end")]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*each) for each in found))
    parts.append(f'<polyline points="{path}" fill="none" stroke="{OURS}" stroke-width="2"/>')
    parts += _marks(found, [at(*each) for each in found])
    return bottom + AXIS, parts


def _marks(found: Sequence[tuple[int, float]], places: Sequence[tuple[float, float]]) -> Iterator[str]:
    for (_, value), (x, y) in zip(found, places, strict=True):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{OURS}"/>'
        yield _text(x, y - 8, figure(value), anchor="middle")


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Powers of ten around all of them, at least one apart."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}"{weight}>{escape(text)}</text>'


def _bar(top: float, width: float, colour: str) -> str:
    return f'<rect x="{NAMES}" y="{top:.1f}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
