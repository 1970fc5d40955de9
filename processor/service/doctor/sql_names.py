"""Names in the SQL that people are given to paste."""

import re

_PLAIN = re.compile(r"(?!current_|session_)[a-z]+_[a-z0-9_]*", re.ASCII)
"""Names that SQL takes without quotes; what has no underscore may be a word of its own."""


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
