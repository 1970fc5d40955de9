"""A deployment in which all is well, for tests that spoil one thing of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from processor.core.catalog import Catalog
from processor.service.doctor.applier import NEEDED
from processor.service.doctor.facts import (
    Bookkeeping,
    Column,
    Database,
    Group,
    HistoryTables,
    Index,
    Kafka,
    Place,
    Subject,
    TableFacts,
    Text,
    Topic,
)
from processor.service.doctor.findings import Check, Finding, Level
from processor.service.doctor.judge import Expected, Seen, judge
from processor.service.doctor.servers import PROBES, SESSION
from processor.service.doctor.topics import Needs
from processor.service.doctor.wanted import WantedTable, district_tables, state_tables
from tests.unit.core.builders import CATALOG

ALL = frozenset(NEEDED)
DAY_MS = 86_400_000
TYPES = {
    "string": "text",
    "long": "bigint",
    "boolean": "boolean",
    "double": "double precision",
    "date": "date",
    "timestamp-micros": "timestamp with time zone",
    "decimal": "numeric",
}


@dataclass(frozen=True)
class Spec:
    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)
    same_count: bool = True


DELETED = {"cleanup.policy": "delete", "retention.ms": str(30 * DAY_MS)}
SPECS = (
    Spec("requests", 6, DELETED),
    Spec("retry", 6, DELETED),
    Spec("corrections", 6, DELETED),
    Spec("accepted", 6, {"cleanup.policy": "compact,delete", "retention.ms": str(2 * DAY_MS)}),
    Spec("history", 4, {"cleanup.policy": "compact"}, same_count=False),
    Spec("dead", 1, {"cleanup.policy": "delete", "retention.ms": str(90 * DAY_MS)}, same_count=False),
)
NEEDS = Needs(
    least_s={
        "requests": (900.0, "limits.snapshot_deadline_s"),
        "retry": (900.0, "limits.snapshot_deadline_s"),
        "corrections": (86_400.0, "limits.answer_deadline_s"),
        "accepted": (86_400.0, "RESYNC_ACCEPTED_WINDOW_S"),
    },
    history="history",
    tombstones=("history",),
    dead_letters="dead",
    transaction_timeout_s=15.0,
    session_timeout_s=10.0,
)


def topic(spec: Spec, **more: str) -> Topic:
    defaults = {"min.insync.replicas": "1", "delete.retention.ms": str(DAY_MS), "max.message.bytes": "1048588"}
    size = {"max.message.bytes": "2097152"} if spec.name == "dead" else {}
    return Topic(spec.partitions, 1, 1, 0, {**defaults, **spec.config, **size, **more})


def kafka(**changes: Any) -> Kafka:
    made = Kafka("127.0.0.1:9092", 1, {}, {spec.name: topic(spec) for spec in SPECS}, (group(),))
    return replace(made, **changes)


def spoiled(name: str, **config: str) -> Kafka:
    """One topic with other options; dots are written as underscores."""
    found = next(spec for spec in SPECS if spec.name == name)
    options = {option.replace("_", "."): value for option, value in config.items()}
    return kafka(topics={**kafka().topics, name: topic(found, **options)})


def group(**changes: Any) -> Group:
    places = (Place("requests", 0, 0, 10, 10), Place("retry", 0, 5, 10, 7))
    return replace(Group("process", "resync-process", 1, 0, None, places), **changes)


def column(base: str, **changes: Any) -> Column:
    return replace(Column(base, base, rights=ALL), **changes)


def table(wanted: Sequence[WantedTable], **changes: Any) -> TableFacts:
    """As it is wanted."""
    columns = {
        one.name: column("bigint" if one.key_type else "text" if one.field is None else TYPES[one.field.kind])
        for each in wanted
        for one in each.columns
    }
    indexes = tuple(Index(index.columns, is_unique=True) for each in wanted for index in each.indexes)
    made = TableFacts(
        name=wanted[0].name.lower(),
        schema="public",
        is_in_path=True,
        may_use_schema=True,
        has_indexes=True,
        row_security=False,
        rights=ALL,
        columns=columns,
        indexes=indexes,
    )
    return replace(made, **changes)


def tables(wanted: Iterable[WantedTable]) -> dict[str, TableFacts | None]:
    return {one.name: table([one]) for one in wanted}


def text(written: str) -> Text:
    return Text(written, sha256(written.encode()).hexdigest())


def database(wanted: Iterable[WantedTable] = (), **changes: Any) -> Database:
    made = Database(
        database="agency",
        role="reader_of_all",
        version=180_000,
        encoding="UTF8",
        timezone="America/Chicago",
        may_create=True,
        may_make_temporary=True,
        xmax=1_000,
        clock_ahead_s=0.0,
        clock_error_s=0.001,
        session=SESSION,
        texts={probe.name: text(probe.text) for probe in PROBES},
        tables=tables(wanted),
    )
    return replace(made, **changes)


def books(**changes: Any) -> Bookkeeping:
    return replace(Bookkeeping(may_use_schema=True, tables={"applied": ALL, "versions": ALL}, versions={}), **changes)


def history(**changes: Any) -> HistoryTables:
    return replace(HistoryTables(5, 5, {"requests": ALL}), **changes)


def well(catalog: Catalog = CATALOG) -> Seen:
    side = database(district_tables(catalog))
    return Seen(
        kafka=kafka(),
        registry=[Subject("history-KeyOutcome", "FULL_TRANSITIVE", holds_ours=True, rule="FULL_TRANSITIVE")],
        state=(database(state_tables(catalog, is_written=True)), books()),
        history=(database(), history()),
        districts=dict.fromkeys(catalog.districts, side),
    )


def judged(seen: Seen, catalog: Catalog = CATALOG) -> list[Finding]:
    return judge(seen, Expected(catalog, SPECS, NEEDS, has_own_applier=True))


def only(findings: Iterable[Finding]) -> Finding:
    found = list(findings)
    assert len(found) == 1, found
    return found[0]


def shape(findings: Iterable[Finding]) -> list[tuple[Level, Check, str]]:
    return [(finding.level, finding.check, finding.where) for finding in findings]
