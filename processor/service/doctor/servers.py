"""Judges the database servers: their version, encoding, sessions, clocks, and how they write values as text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from zoneinfo import ZoneInfo

from processor.core.catalog import FieldSpec, Kind, Owner, Rule
from processor.core.errors import Unrepresentable
from processor.core.values import canonical
from processor.service.doctor.facts import Database, Text
from processor.service.doctor.findings import Check, Finding, error, warning
from processor.service.doctor.sql_names import quoted

OLDEST, OLDEST_POSSIBLE = 150_000, 130_000
AHEAD_S, FAR_AHEAD_S = 2.0, 60.0
SESSION = {"TimeZone": "UTC", "DateStyle": "ISO", "default_transaction_read_only": "on"}
"""What a reader asks of its session, as the server tells it; a date style has more words."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A value that every server must write as one text: `as_type` is SQL, `text` its canonical form of a kind."""

    name: str
    as_type: str
    given: str
    kind: Kind
    text: str


PROBES = (
    Probe("date", "date", "2026-08-01", Kind.DATE, "2026-08-01"),
    Probe("early-date", "date", "0001-01-03", Kind.DATE, "0001-01-03"),
    Probe("local-time", "timestamp", "2026-07-01 12:34:56.000001", Kind.TIMESTAMP, "2026-07-01T12:34:56.000001Z"),
    Probe("time", "timestamptz", "2026-07-01 12:34:56.5+05:30", Kind.TIMESTAMP, "2026-07-01T07:04:56.500000Z"),
    Probe("old-time", "timestamptz", "1883-11-18 12:00:00-06", Kind.TIMESTAMP, "1883-11-18T18:00:00.000000Z"),
    Probe("decimal", "numeric(12,4)", "-12345678.5000", Kind.DECIMAL, "-12345678.5000"),
    Probe("decimal-free", "numeric", "0.0000100", Kind.DECIMAL, "0.0000"),
    Probe("double", "double precision", "0.1", Kind.DOUBLE, "0.1"),
    Probe("double-long", "double precision", "0.30000000000000004", Kind.DOUBLE, "0.30000000000000004"),
    Probe("double-small", "double precision", "1.5e-300", Kind.DOUBLE, "1.5e-300"),
    Probe("long", "bigint", "-9223372036854775808", Kind.LONG, "-9223372036854775808"),
    Probe("boolean", "boolean", "yes", Kind.BOOLEAN, "true"),
    Probe("uuid", "uuid", "0B9C4A3E-6F0D-4C57-9A55-2F1F6D3B7C11", Kind.STRING, "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"),
    Probe("padded", "char(6)", "ab", Kind.STRING, "ab"),
    Probe("latin", "text", "Zoë Ångström", Kind.STRING, "Zoë Ångström"),
    Probe("composed", "text", "Zoe\u0308", Kind.STRING, "Zoe\u0308"),
    Probe("wide", "text", "李小龍 😀", Kind.STRING, "李小龍 😀"),
)
MOMENTS = ("2026-01-15 12:00:00", "2026-07-15 12:00:00", "2007-03-20 12:00:00", "2026-11-01 01:30:00")
"""Local times at which servers are asked for the zones of the catalog."""
_UTC = ZoneInfo("UTC")


def judge_server(where: str, facts: Database, *, is_side: bool) -> Iterator[Finding]:
    """`is_side`: a district's or the state's, as the processor reads it."""
    yield from _version(where, facts)
    yield from _clock(where, facts)
    if facts.encoding == "SQL_ASCII":
        yield error(
            Check.TEXTS,
            where,
            f"the database {facts.database} has the encoding SQL_ASCII: nobody knows which letters its bytes are",
            "dump it, and restore it into a database of a real encoding",
            f"createdb --template=template0 --encoding=UTF8 {facts.database}_utf8",
        )
    elif is_side:
        yield from _session(where, facts)
        yield from _texts(where, facts)
        yield from _zones(where, facts)


def judge_agreement(state: Database, districts: Mapping[str, Database]) -> Iterator[Finding]:
    """Digests of the same values, made by both servers, must agree; what one server cannot write is told elsewhere."""
    for district_id, district in districts.items():
        for probe in PROBES:
            ours, theirs = district.texts.get(probe.name), state.texts.get(probe.name)
            if ours is not None and theirs is not None and ours.digest != theirs.digest:
                yield error(
                    Check.TEXTS,
                    district_id,
                    f"this server and the state's write the {probe.as_type} {probe.given} differently, so equal rows"
                    " differ",
                    "look what the servers do about this type: settings of the role or the database, an extension, a"
                    " cast of their own",
                )


def _version(where: str, facts: Database) -> Iterator[Finding]:
    if facts.version < OLDEST:
        found_as = error if facts.version < OLDEST_POSSIBLE else warning
        yield found_as(
            Check.REACH,
            where,
            f"Postgres {facts.version // 10_000} is older than {OLDEST // 10_000}, the oldest that is supported",
            "upgrade the server",
        )


def _clock(where: str, facts: Database) -> Iterator[Finding]:
    """By no more than what the way there and back leaves certain."""
    apart_s = abs(facts.clock_ahead_s) - facts.clock_error_s
    if apart_s > AHEAD_S:
        found_as = error if apart_s > FAR_AHEAD_S else warning
        way = "ahead of" if facts.clock_ahead_s > 0 else "behind"
        yield found_as(
            Check.CLOCKS,
            where,
            f"the server's clock is {abs(facts.clock_ahead_s):.1f} s {way} this machine's: times of the history and"
            " deadlines are wrong by as much",
            "set both by NTP; on the one that is wrong",
            "timedatectl set-ntp true && chronyc makestep",
        )


def _session(where: str, facts: Database) -> Iterator[Finding]:
    lost = [name for name, wanted in SESSION.items() if not facts.session.get(name, "").startswith(wanted)]
    if lost:
        yield error(
            Check.TEXTS,
            where,
            f"the server did not take the session's options ({', '.join(lost)}): a pooler between drops them, and"
            " values are read as another text",
            "have the connection string lead to Postgres itself",
        )


def _texts(where: str, facts: Database) -> Iterator[Finding]:
    for probe in PROBES:
        if probe.name not in facts.texts:
            continue
        found = facts.texts[probe.name]
        if found is None:
            yield warning(
                Check.TEXTS,
                where,
                f"the database {facts.database} ({facts.encoding}) cannot hold the {probe.as_type} {probe.given}",
                "dump it, and restore it into a database in UTF-8",
                f"createdb --template=template0 --encoding=UTF8 {facts.database}_utf8",
            )
        elif not _reads_as(probe, found):
            yield error(
                Check.TEXTS,
                where,
                f"the server writes the {probe.as_type} {probe.given} in a way that is not read as {probe.text}",
                "look for settings of the role or the database, or for a cast of their own",
                f"ALTER ROLE {quoted(facts.role)} RESET ALL;",
            )


def _reads_as(probe: Probe, found: Text) -> bool:
    field = FieldSpec(probe.name, probe.kind, Owner.DISTRICT, frozenset({Rule.SCALE}), "c", "c", 38, 4)
    digest = sha256(found.text.encode()).hexdigest()
    try:
        return canonical(field, found.text, _UTC) == probe.text and digest == found.digest
    except Unrepresentable:
        return False


def _zones(where: str, facts: Database) -> Iterator[Finding]:
    field = FieldSpec("time", Kind.TIMESTAMP, Owner.DISTRICT, frozenset(), "c", "c")
    for name, found in facts.zones.items():
        expected = [canonical(field, moment, ZoneInfo(name)) for moment in MOMENTS]
        if found is None:
            what = f"the server does not know the catalog's timezone {name}"
        elif [canonical(field, text, _UTC) for text in found] != expected:
            what = f"the server's rules of the timezone {name} are not those of this machine"
        else:
            continue
        yield warning(
            Check.TIMEZONES,
            where,
            f"{what}: it puts local times at other moments than the processor does",
            "update the time zone data on the older of the two (packages tzdata), and restart",
        )
