"""The page and the plot that are made of figures."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bench import report
from bench.contend import Contest
from bench.latest import document, keep
from bench.measured import Contender, Measured, Result, Scenario, Unit
from bench.page import TEMPLATE, page, sizes
from bench.plot import plot
from bench.world import World

ABOUT = {
    "command": "python -m bench",
    "at": "2026-01-01T00:00:00+00:00",
    "took_s": 600.0,
    "seed": 1,
    "rows": 1_000,
    "machine": {"cores": 2, "architecture": "x86_64", "load_1m": 0.5},
    "versions": {"postgres": "18.6"},
}


def never(_world: World) -> Measured:
    raise AssertionError


def contest(group: str, name: str, speeds: list[float], size: tuple[str, int] | None = None) -> Contest:
    contenders = Contender("ours", never), Contender("a & b", never, {"speed": 1.2})
    repeats = [
        {
            "ours": Measured({"speed": speed}, 1_000, 1.0, {"process": 0.01}, {"process": 90.0}),
            "a & b": Measured({"speed": 10.0}, 1_000, 1.0),
        }
        for speed in speeds
    ]
    return Contest(Result(Scenario(group, name, Unit.KEYS_PER_S, contenders, size=size), repeats), 1.0)


def figures() -> dict[str, Any]:
    contests = [
        contest("backlog", "of 1", [12.0, 15.0, 9.0], ("keys a request", 1)),
        contest("backlog", "of 100", [1_200.0], ("keys a request", 100)),
        contest("growth", "of 10", [120.0], ("keys a request", 10)),
    ]
    return document(contests, ABOUT)


def test_every_group_has_a_place_and_every_place_is_filled() -> None:
    text = page(figures())
    assert "<!--" not in text
    assert "<!-- backlog -->" in TEMPLATE.read_text(encoding="utf-8")
    assert "| ours | speed | 3 | 12 (9 to 15) |  |  | 1.00 (process 1.00) | process 90 |" in text
    assert "| a & b | speed | 3 | 10 | 1.2 (0.9 to 1.5) | 1.2 |  |  |" in text
    assert "Not part of this run." in text


def test_what_grows_is_one_table_least_first() -> None:
    assert [size for size, _ in sizes(figures())["keys a request"]] == [1, 10, 100]
    text = page(figures())
    assert (
        text.index("| 1 | 3 | 12 (9 to 15)")
        < text.index("| 10 | 1 | 120 | 1.00")
        < text.index("| 100 | 1 | 1,200 | 1.00")
    )


def test_what_was_wrong_is_on_the_page() -> None:
    wrong = document(
        [Contest(contest("backlog", "of 1", []).result, 1.0, ["ours: outcome SENT: 4 instead of 5"])], ABOUT
    )
    assert "No figure: ours: outcome SENT: 4 instead of 5" in page(wrong)
    assert plot(wrong)


def test_the_plot_has_a_bar_a_contender_and_a_line_of_what_grows() -> None:
    drawn = ET.fromstring(plot(figures()))  # noqa: S314  (our own)
    of = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{of}rect")) == 1 + 2 * 3
    (line,) = drawn.findall(f"{of}polyline")
    assert len(line.attrib["points"].split()) == 3
    assert "a & b" in [text.text for text in drawn.findall(f"{of}text")]


def test_a_page_that_is_not_what_its_figures_make_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "DOCS", tmp_path)
    monkeypatch.setattr(report, "FIGURES", tmp_path / "performance.json")
    keep(tmp_path / "latest.json", [contest("backlog", "of 1", [12.0])], ABOUT)
    assert report.main(["--check"]) == 1
    assert report.main([str(tmp_path / "latest.json")]) == 0
    assert report.main(["--check"]) == 0
    changed = json.loads((tmp_path / "performance.json").read_text(encoding="utf-8"))
    changed["scenarios"][0]["contenders"][0]["values"]["speed"]["median"] = 13
    (tmp_path / "performance.json").write_text(json.dumps(changed), encoding="utf-8")
    assert report.main(["--check"]) == 1


def test_figures_that_are_not_there(tmp_path: Path) -> None:
    assert report.main([str(tmp_path / "none.json")]) == 1
