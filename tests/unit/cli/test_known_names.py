from pathlib import Path

import pytest

from processor.cli.known_names import warn_of_unknown
from processor.settings import Settings
from stack.layout import REPO

DEMO = REPO / "demo" / "catalog.yaml"


@pytest.mark.parametrize(
    ("district", "objects", "told"),
    [
        ("NORTH", ["PersonIdentity", None], ""),
        (None, [], ""),
        ("NROTH", [], "warning: the catalog has no district NROTH\n"),
        (None, ["Bogus\x1b"], "warning: the catalog has no object Bogus\\x1b; it has Behavior, "),
    ],
)
def test_a_name_that_the_catalog_has_not_is_warned_of(
    capsys: pytest.CaptureFixture[str], district: str | None, objects: list[str | None], told: str
) -> None:
    warn_of_unknown(Settings(catalog=DEMO), district=district, objects=objects)
    said = capsys.readouterr().err
    assert said.startswith(told)
    assert bool(said) is bool(told)


@pytest.mark.parametrize("text", [None, "objects: 7\n"], ids=["no file", "mistakes"])
def test_without_a_catalog_nothing_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    path = tmp_path / "catalog.yaml"
    if text is not None:
        path.write_text(text)
    warn_of_unknown(Settings(catalog=path), district="NROTH", objects=["Bogus"])
    assert capsys.readouterr().err == ""
