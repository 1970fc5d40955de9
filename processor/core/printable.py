"""Texts that somebody else wrote, fit to be shown."""

MAX_ASKED_AS = 255


def printable(text: str) -> str:
    """A requester's text as history shows it: control characters escaped, cut to `MAX_ASKED_AS` characters."""
    if len(text) <= MAX_ASKED_AS and text.isprintable():
        return text
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: MAX_ASKED_AS + 1])
    return shown if len(shown) <= MAX_ASKED_AS else shown[: MAX_ASKED_AS - 1] + "…"
