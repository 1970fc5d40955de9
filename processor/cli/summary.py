"""The Verification Summary: what a verification of a whole object found, in numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from processor.cli.again import command, same_records
from processor.cli.following import NOTHING_MATCHED
from processor.cli.output import Output, print_csv, print_json, print_line, print_ndjson, print_table, say
from processor.core.errors import Reason
from processor.core.history import Count, RequestState, Status
from processor.core.printable import printable
from processor.service.follow import RequestResult

NUMBERS = {
    "district_rows": "rows at the district",
    "state_rows": "rows at the state",
    "in_sync": "in sync",
    "expected_differences": "of these, differing only in what the state owns",
    "missing_at_state": "missing at the state",
    "missing_at_district": "missing at the district",
    "duplicates": "more than one row",
    "differing": "differing",
    "gone": "gone on both sides meanwhile",
    "not_verified": "not verified",
    "cancelled": "of these, cancelled before",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of keys, but for the rows. `fields` are those that differ, most often first."""

    request_id: str
    district_id: str
    object: str
    state: str
    district_rows: int
    state_rows: int
    in_sync: int
    expected_differences: int
    missing_at_state: int
    missing_at_district: int
    duplicates: int
    differing: int
    gone: int
    not_verified: int
    cancelled: int
    """Of `not_verified`: what was cancelled before it was compared."""
    fields: Mapping[str, int]
    filter: str | None = None
    """What records were chosen by; None for all."""
    school_year: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether all was looked at, and there was no record."""
        keys = (self.in_sync, self.missing_at_state, self.missing_at_district, self.duplicates, self.differing)
        return not any((*keys, self.gone, self.not_verified)) and self.state == RequestState.COMPLETE

    @classmethod
    def of(cls, result: RequestResult, found: Mapping[str, Any]) -> "Summary":
        """`found`: rows a side, keys a field, and what was verified, as the store has them."""
        fields: Mapping[str, int] = found.get("fields", {})
        return cls(
            request_id=result.request_id,
            district_id=result.district_id,
            object=result.object,
            state=result.state,
            district_rows=found.get("district_rows", 0),
            state_rows=found.get("state_rows", 0),
            in_sync=_keys(result.counts, Status.IN_SYNC),
            expected_differences=_keys(result.counts, Status.IN_SYNC, Reason.EXPECTED_DIFFERENCE),
            missing_at_state=_keys(result.counts, Status.MISSING_AT_STATE),
            missing_at_district=_keys(result.counts, Status.MISSING_AT_DISTRICT),
            duplicates=_keys(result.counts, Status.DUPLICATE_KEY),
            differing=_keys(result.counts, Status.DIFFERS),
            gone=_keys(result.counts, Status.NOT_FOUND),
            not_verified=_keys(result.counts, Status.FAILED) + _keys(result.counts, Status.CANCELLED),
            cancelled=_keys(result.counts, Status.CANCELLED),
            fields=dict(sorted(fields.items(), key=lambda item: (-item[1], item[0]))),
            filter=found.get("filter"),
            school_year=found.get("school_year"),
        )


def _keys(counts: tuple[Count, ...], status: Status, reason: Reason | None = None) -> int:
    return sum(count.keys for count in counts if count.status == status and reason in {None, count.reason})


def print_summary(output: Output, summary: Summary) -> None:
    """On stdout."""
    document = asdict(summary)
    match output:
        case Output.TABLE:
            _print_lines(summary, document)
        case Output.JSON:
            print_json(document)
        case Output.NDJSON:
            print_ndjson([document])
        case Output.CSV:
            print_csv(tuple(document), [document])


def _print_lines(summary: Summary, document: Mapping[str, Any]) -> None:
    print_line(f"{summary.object} of {summary.district_id}: {summary.state} ({summary.request_id})")
    print_chosen(summary.filter, summary.school_year)
    rows = [{"what": words, "number": document[name]} for name, words in NUMBERS.items()]
    rows += [{"what": f"differing in {name}", "number": keys} for name, keys in summary.fields.items()]
    print_table(("what", "number"), rows)


def print_chosen(where: str | None, school_year: str | None) -> None:
    """Which records were meant, where not all were."""
    if school_year is not None:
        print_line(f"of school year {printable(school_year)} alone")
    if where is not None:
        print_line(f"of records alone that match: {printable(where)}")


def tell_next(summary: Summary, max_deletes: int | None) -> None:
    """What can be done with it, on stderr. `max_deletes` is the catalog's; None where it is not known."""
    if summary.is_empty:
        say(NOTHING_MATCHED)
    report = ["resync", "report", summary.request_id]
    differing = summary.differing + summary.missing_at_state
    if not (differing or summary.missing_at_district or summary.duplicates or summary.not_verified):
        return
    if summary.cancelled:
        again = same_records("verify", summary.district_id, summary.object, summary.filter, summary.school_year)
        say(f"It was cancelled before all was compared; for the rest verify again: {command(*again)}")
    if summary.not_verified:
        statuses = ["--status", "failed"] * (summary.not_verified > summary.cancelled)
        statuses += ["--status", "cancelled"] * bool(summary.cancelled)
        say(f"What was not verified, and why: {command(*report, *statuses)}")
    say(f"All that is not in sync, as a file: {command(*report, '--output', 'xlsx', '--to', 'verification.xlsx')}")
    again = ["resync", "submit", "--from-request", summary.request_id]
    if differing:
        say(f"Resync what differs: {command(*again, '--wait')}")
    if summary.missing_at_state:
        say("Where their parents may be missing at the state too, add: --dependencies parents")
        say("`resync show` with the id that it prints tells what failed, and the command that mends it")
    if max_deletes is not None and summary.missing_at_district > max_deletes:
        say(f"Resync all, and delete what only the state has, where you may: {command(*_delete_all(summary))}")
        say(f"(a request of keys deletes at most {max_deletes}; this is planned, and may have to be released)")
    elif summary.missing_at_district:
        wanted = ["--status", Status.MISSING_AT_DISTRICT.lower(), "--on-state-only", "delete"]
        say(f"Delete what only the state has, where you may: {command(*again, *wanted)}")


def _delete_all(summary: Summary) -> list[str]:
    """Records chosen as they were verified: what is planned as a whole is not bounded by `max_deletes`."""
    words = same_records("submit", summary.district_id, summary.object, summary.filter, summary.school_year)
    return [*words, "--on-state-only", "delete", "--wait"]
