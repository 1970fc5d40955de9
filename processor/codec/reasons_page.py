"""docs/reasons.md: every reason with its meaning, what follows by itself, and who mends it."""

from processor.core.errors import RULES, Mender, Retry, Weight

_HEAD = """# Reasons

Every request, key or record that ends otherwise than plainly carries one of these codes. Generated from
`processor/core/errors.py` by `python -m processor.codec.generate`.

"""


def reasons_page() -> str:
    return _HEAD + "\n".join(_table(weight, title) for weight, title in _TITLES.items())


_TITLES = {Weight.FAILURE: "Failures", Weight.NOTE: "Notes"}


def _table(weight: Weight, title: str) -> str:
    lines = [f"## {title}\n", "| reason | meaning | by itself | who mends it |", "|---|---|---|---|"]
    for reason, rule in RULES.items():
        if rule.weight is weight:
            again = "-" if rule.retry is Retry.NEVER else rule.retry
            mender = "-" if rule.mender is Mender.NOBODY else rule.mender
            lines.append(f"| `{reason}` | {rule.meaning} | {again} | {mender} |")
    return "\n".join(lines) + "\n"
