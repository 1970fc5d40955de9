from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stack.errors import StackError
from stack.maven import mirror_of_central, repository_base

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = ' xmlns="http://maven.apache.org/SETTINGS/1.2.0"'


def settings(*mirrors: tuple[str, str], namespace: str = NAMESPACE) -> str:
    entries = "".join(
        f"<mirror><id>m{i}</id><mirrorOf>{pattern}</mirrorOf><url>{url}</url></mirror>"
        for i, (pattern, url) in enumerate(mirrors)
    )
    return f"<settings{namespace}><mirrors>{entries}</mirrors></settings>"


@pytest.mark.parametrize(
    ("pattern", "covers"),
    [
        ("central", True),
        ("*", True),
        ("external:*", True),
        ("other, central", True),
        ("*,!other", True),
        ("*,!central", False),
        ("!central,*", False),
        ("other", False),
        ("external:http:*", False),
        ("", False),
    ],
)
def test_which_mirrors_cover_central(pattern: str, covers: object) -> None:
    expected = "https://mirror.test/m" if covers else None
    assert mirror_of_central(settings((pattern, "https://mirror.test/m")), {}) == expected


def test_one_named_for_it_goes_before_an_earlier_pattern() -> None:
    text = settings(("*", "https://mirror.test/all"), ("central", "https://mirror.test/named"))
    assert mirror_of_central(text, {}) == "https://mirror.test/named"


def test_settings_without_namespace_or_mirrors() -> None:
    assert mirror_of_central(settings(("*", "https://mirror.test/m"), namespace=""), {}) == "https://mirror.test/m"
    assert mirror_of_central("<settings/>", {}) is None


def test_variables_in_the_address() -> None:
    text = settings(("*", "file://${user.home}/${env.PLACE}/${unknown}"))
    assert mirror_of_central(text, {"HOME": "/home/x", "PLACE": "repo"}) == "file:///home/x/repo/${unknown}"


def test_broken_settings_are_named() -> None:
    with pytest.raises(StackError, match=r"settings\.xml"):
        mirror_of_central("<settings>", {})


def test_order_of_sources(tmp_path: Path) -> None:
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(settings(("*", "https://mirror.test/m/")))
    environ = {"HOME": str(tmp_path)}
    assert repository_base(environ) == "https://mirror.test/m"
    assert repository_base(environ | {"RESYNC_MAVEN_REPO": "https://own.test/r/"}) == "https://own.test/r"
    assert repository_base({}).startswith("https://")
