"""docs/metrics.md, written from the declarations: `python -m processor.http.metrics_page [--check]`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from processor import metrics
from processor.metric_kinds import Declared

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
MOST_NAMED = 8
"""Label values named in a row; longer lists stand once, below."""

_HEAD = f"""# Metrics and health

Generated from `processor/metrics.py` by `python -m processor.http.metrics_page`.

With `RESYNC_HTTP_PORT` set, every role serves on that port (and on `RESYNC_HTTP_HOST`, all addresses by default):

| path | answer |
|---|---|
| `/metrics` | the metrics below, as text or OpenMetrics, with `process_…` and `python_gc_…` of the process |
| `/livez` | 200 while the role's loop comes round at least every `RESYNC_LIVENESS_TIMEOUT_S` (300 s), \
else 503. It asks for no broker and no database |
| `/readyz` | 200 where every named check is passed, else 503; JSON with `ok` and `detail` of each check |

Checks: `schemas` (topics and subjects fit this release), `assigned` (the group shared out its partitions), and by role
`databases` (process: the state's database answers; districts that are away are counted and keep nobody from being
ready), `state` (apply), `history` (store: the history database; monitor: the topic was read once), `broker` (monitor).

Counters and histograms count what was committed: an aborted transaction adds nothing but itself. All their series are
there from the start, at zero. Labels have closed lists of values; no id of a request or record is ever one, and
`district` is one only up to {metrics.MOST_DISTRICTS} districts. Alerts are in `ops/alerts.yaml`, each with a page in
`docs/runbooks/`.

`resync monitor` sees the other roles from outside: it joins no group, needs no database, no registry and no
catalog, and asks the broker every `RESYNC_MONITOR_S` (5 s). One of it is enough. A state with an applier of its own
sets `RESYNC_APPLIER_GROUP` to that applier's consumer group.
"""

_TITLES = {
    metrics.ROLES: "Every role",
    metrics.READERS: "process, apply, store",
    metrics.TRANSACTORS: "process, apply",
    (metrics.PROCESS,): "process",
    (metrics.APPLY,): "apply",
    (metrics.STORE,): "store",
    (metrics.MONITOR,): "monitor",
}


def metrics_page() -> str:
    return "\n".join([_HEAD, *_tables(), *_lists()])


def _tables() -> Iterator[str]:
    for roles, title in _TITLES.items():
        yield f"## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|"
        for declared in metrics.ALL.all:
            if tuple(declared.roles) == roles:
                yield f"| `{declared.name}` | {declared.kind} | {_labels(declared)} | {declared.meaning} |"
        yield ""


def _labels(declared: Declared) -> str:
    return "; ".join(f"`{label}`: {_values(label, values)}" for label, values in declared.labels.items()) or "-"


def _values(label: str, values: object) -> str:
    if isinstance(values, str):
        return values
    return ", ".join(values) if isinstance(values, tuple) and len(values) <= MOST_NAMED else f"see [{label}](#{label})"


def _lists() -> Iterator[str]:
    """Of labels with many values, which are the same wherever the label is used."""
    found: dict[str, tuple[str, ...]] = {}
    for declared in metrics.ALL.all:
        for label, values in declared.labels.items():
            is_long = isinstance(values, tuple) and len(values) > MOST_NAMED
            if is_long and found.setdefault(label, tuple(values)) != values:
                raise ValueError(f"label {label} has two lists of values: name one of them otherwise")
    for label, values in found.items():
        yield f"## {label}\n\n{', '.join(f'`{value}`' for value in values)}\n"


def main() -> int:
    text = metrics_page()
    if sys.argv[1:] == ["--check"]:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        sys.stderr.write(f"{PAGE} is stale; run python -m processor.http.metrics_page\n")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
