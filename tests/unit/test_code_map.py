"""The code map of ARCHITECTURE.md names every module of the packages that it lists, and no other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("\n## Code map\n")[1].split("```")[1]


def named() -> dict[str, list[str]]:
    """By package. A line of a package is `what they are about: modules`; its continuation has modules alone."""
    found: dict[str, list[str]] = {}
    package = ""
    for line in MAP.splitlines():
        if head := re.fullmatch(r"  (\S+)/", line):
            package = head[1]
        elif line.startswith("    "):
            names = line.partition(":")[2] or line
            found.setdefault(package, []).extend(re.findall(r"\w+", names))
        else:
            package = ""
    found.pop("", None)
    return found


@pytest.mark.parametrize("package", ["core", "codec", "service", "adapters/kafka", "adapters/postgres"])
def test_every_module_stands_in_the_code_map_once(package: str) -> None:
    there = {file.stem for file in (ROOT / "processor" / package).glob("*.py")} - {"__init__"}
    assert sorted(named()[package]) == sorted(there)
