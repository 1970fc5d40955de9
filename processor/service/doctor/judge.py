"""All judgements of what was seen. A part that was away is told once, and stops no other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from processor.core.catalog import Catalog
from processor.service.doctor.applier import judge_bookkeeping, judge_epochs, not_read
from processor.service.doctor.cascades import judge_cascades
from processor.service.doctor.facts import (
    Bookkeeping,
    Database,
    Declared,
    HistoryTables,
    Kafka,
    Subject,
)
from processor.service.doctor.findings import Away, Check, Finding, Level, error, warning
from processor.service.doctor.groups import judge_groups
from processor.service.doctor.history import judge_history
from processor.service.doctor.schemas import judge_subjects
from processor.service.doctor.servers import judge_agreement, judge_server
from processor.service.doctor.tables import judge_tables
from processor.service.doctor.topics import Needs, judge_topics
from processor.service.doctor.wanted import district_tables, state_tables


@dataclass(frozen=True, slots=True)
class Expected:
    """What the settings, the policy and the catalog say. `has_own_applier`: the applier is `resync apply`."""

    catalog: Catalog
    topics: Sequence[Declared]
    needs: Needs
    has_own_applier: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """None where a part is not set up here at all, so that there is nothing to look at."""

    kafka: Kafka | Away | None = None
    registry: Sequence[Subject] | Away | None = None
    state: tuple[Database, Bookkeeping | None] | Away | None = None
    history: tuple[Database, HistoryTables] | Away | None = None
    districts: Mapping[str, Database | Away] = field(default_factory=dict)


def judge(seen: Seen, expected: Expected) -> list[Finding]:
    """Errors first; in the order of the parts otherwise."""
    found = dict.fromkeys(_all(seen, expected))
    return sorted(found, key=lambda finding: finding.level is not Level.ERROR)


def _all(seen: Seen, expected: Expected) -> Iterator[Finding]:
    yield from _kafka(seen.kafka, expected)
    match seen.registry:
        case Away() as away:
            yield _away("registry", away)
        case None:
            pass
        case subjects:
            yield from judge_subjects(subjects)
    yield from _state(seen, expected)
    yield from _districts(seen, expected)
    match seen.history:
        case Away() as away:
            yield _away("history", away)
        case (database, tables):
            yield from judge_server("history", database, is_side=False)
            yield from judge_history(database, tables)


def _kafka(seen: Kafka | Away | None, expected: Expected) -> Iterator[Finding]:
    match seen:
        case Away() as away:
            yield _away("Kafka", away)
        case Kafka():
            kept_s = {
                name: int(topic.config["retention.ms"]) / 1000
                for name, topic in seen.topics.items()
                if "delete" in topic.config.get("cleanup.policy", "")
                and int(topic.config.get("retention.ms", "-1")) > 0
            }
            yield from judge_topics(seen, expected.topics, expected.needs)
            yield from judge_groups(seen, kept_s)


def _state(seen: Seen, expected: Expected) -> Iterator[Finding]:
    match seen.state:
        case Away() as away:
            yield _away("state", away)
        case (database, bookkeeping):
            catalog = expected.catalog
            yield from judge_server("state", database, is_side=True)
            yield from judge_tables("state", database, state_tables(catalog, is_written=expected.has_own_applier))
            yield from judge_cascades(database, allow_delete=catalog.limits.allow_delete)
            if bookkeeping is not None:
                yield from judge_bookkeeping(database, bookkeeping)
                if bookkeeping.versions is None:
                    yield not_read()
                else:
                    yield from judge_epochs(catalog.districts, _there(seen), bookkeeping.versions)


def _districts(seen: Seen, expected: Expected) -> Iterator[Finding]:
    for district_id, found in seen.districts.items():
        if isinstance(found, Away):
            yield _away(district_id, found)
        else:
            yield from judge_server(district_id, found, is_side=True)
            yield from judge_tables(district_id, found, district_tables(expected.catalog))
    if isinstance(seen.state, tuple):
        yield from judge_agreement(seen.state[0], _there(seen))


def _there(seen: Seen) -> dict[str, Database]:
    return {name: found for name, found in seen.districts.items() if isinstance(found, Database)}


def _away(where: str, away: Away) -> Finding:
    if not away.is_set:
        advice = "run the doctor where it is set as well, with the settings of the role that uses it"
        return warning(Check.REACH, where, f"was not looked at: {away.why}", advice)
    return error(Check.REACH, where, away.why, "bring it back, or correct its address, its account or what is between")
