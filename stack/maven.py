"""The repository to download from: Maven's own settings decide, as they would for Maven."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "RESYNC_MAVEN_REPO"
REPOSITORY_ID = "central"


def repository_base(environ: Mapping[str, str]) -> str:
    """Without a slash at the end. RESYNC_MAVEN_REPO, else a mirror in ~/.m2/settings.xml, else Maven's default."""
    if chosen := environ.get(VARIABLE):
        return chosen.rstrip("/")
    settings = _user_settings(environ)
    if settings is not None and settings.is_file():
        mirror = mirror_of_central(settings.read_text(), environ)
        if mirror is not None:
            return mirror.rstrip("/")
    return _default_base()


def _user_settings(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME")
    return Path(home) / ".m2" / "settings.xml" if home else None


def _default_base() -> str:
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(MAVEN_CENTRAL_URL)


def mirror_of_central(settings: str, environ: Mapping[str, str]) -> str | None:
    """The URL of the mirror that Maven would take: one named for the repository, else the first that covers it."""
    try:
        root = ET.fromstring(settings)  # noqa: S314  (the user's own file)
    except ET.ParseError as error:
        raise StackError(f"~/.m2/settings.xml is not well-formed: {error}") from error
    mirrors = [(_text(mirror, "mirrorOf"), _text(mirror, "url")) for mirror in root.iterfind("{*}mirrors/{*}mirror")]
    for covers in (lambda pattern: pattern == REPOSITORY_ID, _covers_central):
        for pattern, url in mirrors:
            if url and covers(pattern):
                return _interpolate(url, environ)
    return None


def _text(element: ET.Element, tag: str) -> str:
    return (element.findtext(f"{{*}}{tag}") or "").strip()


def _covers_central(pattern: str) -> bool:
    """Maven's rule for a list such as `*,!central`: an exclusion wins wherever it stands."""
    parts = [part.strip() for part in pattern.split(",")]
    return f"!{REPOSITORY_ID}" not in parts and any(part in ("*", "external:*", REPOSITORY_ID) for part in parts)


def _interpolate(url: str, environ: Mapping[str, str]) -> str:
    known = {"user.home": environ.get("HOME", "")} | {f"env.{name}": value for name, value in environ.items()}
    return re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1], found[0]), url)
