"""The table of what was planted against what was found."""

from collections import Counter
from collections.abc import Mapping

from rich.table import Table

from demo.planted import BEGIN_A_SECTION, Kind
from demo.proof.claims import matches
from demo.proof.truth import check_not_asked
from demo.prove import Evidence


def planted_against_found(evidence: Evidence, ends: Mapping[str, tuple[str, str | None]]) -> Table:
    """One line a kind."""
    by_key = {(c.request_id, c.object, c.key): c for c in evidence.claims}
    sown, found, ends_as = Counter[str](), Counter[str](), dict[str, set[str]]()
    for request in evidence.planted["requests"]:
        for expected in request["expected"]:
            kind = expected["kind"]
            sown[kind] += 1
            found[kind] += matches(by_key.get((request["request_id"], expected["object"], expected["key"])), expected)
            ends_as.setdefault(kind, set()).add(" ".join(filter(None, (expected["status"], expected["reason"]))))
        if request["state"] == "REJECTED":
            kind = request["kind"]
            sown[kind] += 1
            found[kind] += ends.get(request["request_id"]) == (request["state"], request["reason"])
            ends_as.setdefault(kind, set()).add(f"REJECTED {request['reason']}")
    not_asked = evidence.planted["not_asked"]
    became_equal = list(check_not_asked(not_asked, evidence.state, evidence.districts))
    sown[Kind.NOT_ASKED], found[Kind.NOT_ASKED] = len(not_asked), len(not_asked) - len(became_equal)
    ends_as[Kind.NOT_ASKED] = {"differs still"}
    return _table(sown, found, ends_as)


def _table(sown: Counter[str], found: Counter[str], ends_as: Mapping[str, set[str]]) -> Table:
    table = Table(title="Planted against found")
    table.add_column("#", justify="right")
    table.add_column("kind")
    table.add_column("must end as (status and reason)")
    table.add_column("planted", justify="right")
    table.add_column("found", justify="right")
    for kind in Kind:
        if kind in BEGIN_A_SECTION:
            table.add_section()
        style = None if sown[kind] == found[kind] else "bold red"
        ends = ", ".join(sorted(ends_as.get(kind, ())))
        table.add_row(str(kind.number), kind.value, ends, str(sown[kind]), str(found[kind]), style=style)
    table.add_section()
    table.add_row("", "", "", str(sown.total()), str(found.total()))
    return table
