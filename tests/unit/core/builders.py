"""A small catalog four levels deep, rows of both sides, chunks, and a state in memory that plans are applied to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from processor.core.catalog import (
    Catalog,
    Crosswalk,
    District,
    FieldSpec,
    KeyType,
    Kind,
    Limits,
    Lookup,
    ObjectType,
    Owner,
    ParentRef,
    Rule,
    Table,
)
from processor.core.chosen import Chosen
from processor.core.chunk import Ask, Chunk
from processor.core.compare import EQUAL, compare, state_values
from processor.core.condition import Condition
from processor.core.correction import Correction, Op
from processor.core.decide import decide
from processor.core.digest import Digest
from processor.core.errors import FieldError
from processor.core.history import KeyOutcome, Status
from processor.core.lines import Lines
from processor.core.parents import parents_to_read
from processor.core.plan import Plan
from processor.core.request import Keys, Mode, Request, Side
from processor.core.snapshot import DistrictRead, DistrictVersion, Row, SameRead, SideRead, Snapshot
from processor.core.values import side_text
from processor.core.window import Page, place_of, scan_order
from tests.conditions import evaluate, read_value

REQUEST_ID = "0b9c4a3e-6f0d-4c57-9a55-2f1f6d3b7c11"
NOW = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
READ_AT = NOW - timedelta(seconds=1)
VERSION = DistrictVersion(epoch=1, xmax=81_234, in_progress=3)
CHICAGO = ZoneInfo("America/Chicago")
UTC_ZONE = ZoneInfo("UTC")
FORGIVING = (Rule.TRIM, Rule.CASEFOLD, Rule.NFC, Rule.NULL_IS_EMPTY)
GENDER = Crosswalk("gender", {"F": "2", "M": "1", "X": "9"})


def spec(name: str, kind: Kind = Kind.STRING, *rules: Rule, owner: Owner = Owner.DISTRICT, **more: Any) -> FieldSpec:
    """A field in a column of its name on both sides."""
    made = FieldSpec(name, kind, owner, frozenset(rules), name, name)
    return replace(made, **more)


def table(name: str, zone: ZoneInfo, key_type: KeyType = KeyType.INTEGER) -> Table:
    return Table(name, "id", key_type, "district_id", zone)


def object_type(
    name: str,
    fields: Iterable[FieldSpec],
    parent: ParentRef | None = None,
    *,
    key_type: KeyType = KeyType.INTEGER,
    depth: int = 0,
    zones: tuple[ZoneInfo, ZoneInfo] = (CHICAGO, UTC_ZONE),
) -> ObjectType:
    ours, theirs = (table(name, zone, key_type) for zone in zones)
    return ObjectType(name, key_type, tuple(fields), ours, theirs, parent, depth)


PERSON = object_type(
    "Person",
    [
        spec("lastName"),
        spec("nickname", Kind.STRING, *FORGIVING),
        spec("gender", crosswalk=GENDER),
        spec("birthDate", Kind.DATE),
        spec("income", Kind.DOUBLE),
        spec("ratio", Kind.DECIMAL, Rule.SCALE, precision=6, scale=2),
        spec("siblings", Kind.LONG),
        spec("homeless", Kind.BOOLEAN),
        spec("modifiedAt", Kind.TIMESTAMP),
        spec("certification", owner=Owner.STATE),
        spec("loadedAt", Kind.TIMESTAMP, owner=Owner.NONE),
    ],
)
PERSON_LOOKUP = Lookup("Person", "district_id", "id", "state_id")
ENROLLMENT = object_type(
    "Enrollment",
    [spec("personID", Kind.LONG, state_lookup=PERSON_LOOKUP), spec("grade")],
    ParentRef("Person", "personID", KeyType.INTEGER),
    depth=1,
)
BEHAVIOR = object_type(
    "Behavior",
    [spec("enrollmentID", Kind.LONG), spec("code")],
    ParentRef("Enrollment", "enrollmentID", KeyType.INTEGER),
    depth=2,
)
SANCTION = object_type(
    "Sanction",
    [spec("behaviorID", Kind.LONG), spec("days", Kind.LONG)],
    ParentRef("Behavior", "behaviorID", KeyType.INTEGER),
    depth=3,
)
LEVELS = (PERSON, ENROLLMENT, BEHAVIOR, SANCTION)


def catalog(*objects: ObjectType, **limits: Any) -> Catalog:
    districts = {name: District(name, name, "") for name in ("NORTH", "RIVER")}
    return Catalog({kind.name: kind for kind in objects or LEVELS}, districts, Limits(**limits))


CATALOG = catalog()


def row(kind: ObjectType, **texts: str | None) -> Row:
    """Texts as a side's columns hold them; null where not given."""
    unknown = texts.keys() - {f.name for f in kind.compared}
    assert not unknown, unknown
    return tuple(texts.get(f.name) for f in kind.compared)


OURS: dict[str, str | None] = {
    "lastName": "Núñez",
    "nickname": "ana",
    "gender": "F",
    "birthDate": "2010-02-28 00:00:00",
    "income": "1e3",
    "ratio": "1.5",
    "siblings": "2",
    "homeless": "f",
    "modifiedAt": "2026-08-01 08:00:00",
}
"""The texts of one person at the district, and of the same person at the state, spelled as other column types do."""
THEIRS: dict[str, str | None] = {
    "lastName": "Núñez",
    "nickname": " Ana ",
    "gender": "2",
    "birthDate": "2010-02-28",
    "income": "1000",
    "ratio": "1.500",
    "siblings": "2.0",
    "homeless": "false",
    "modifiedAt": "2026-08-01 13:00:00+00",
}


def ours(**texts: str | None) -> Row:
    """The person at the district, but for these texts."""
    return row(PERSON, **{**OURS, **texts})


def theirs(**texts: str | None) -> Row:
    """The same person at the state, but for these texts."""
    return row(PERSON, **{**THEIRS, **texts})


def request(*keys: str, object_name: str = "Person", **more: Any) -> Request:
    asked = Request(REQUEST_ID, "NORTH", object_name, Keys(keys), "clerk@north.example")
    return replace(asked, **more)


def chunk(*keys: str, object_name: str = "Person", **more: Any) -> Chunk:
    made = Chunk(REQUEST_ID, "0", "NORTH", object_name, tuple(Ask(key, key) for key in keys))
    return replace(made, **more)


def outcomes(plan: Plan) -> list[KeyOutcome]:
    return list(plan.outcomes())


def only_outcome(plan: Plan) -> KeyOutcome:
    (outcome,) = outcomes(plan)
    return outcome


def page(side: Mapping[str, tuple[Row, ...]], after: str | None, size: int) -> Page:
    """Of one side of an object with integer keys, as a database gives it: the last key comes with all of its rows."""
    following = sorted((key for key in side if after is None or int(key) > int(after)), key=int)
    rows: dict[str, tuple[Row, ...]] = {}
    while following and sum(map(len, rows.values())) < size:
        key = following.pop(0)
        rows[key] = side[key]
    return Page(rows, sum(map(len, rows.values())) >= size)


def chosen_pages(
    kind: ObjectType,
    district: Mapping[str, tuple[Row, ...]],
    state: Mapping[str, tuple[Row, ...]],
    chosen: Chosen,
    *,
    after: str | None,
    size: int,
) -> tuple[Page, Page]:
    """As databases give them, by the core's meaning of the condition, of fields of the record itself."""
    sides = ((Side.DISTRICT, district), (Side.STATE, state))
    seen = {side: page(rows, after, size) for side, rows in sides if side in chosen}
    upto = min((last for each in seen.values() if (last := each.last) is not None), key=int, default=None)
    found: dict[Side, dict[str, tuple[Row, ...]]] = {side: {} for side in Side}
    for side, each in seen.items():
        for key, rows in each.rows.items():
            is_within = upto is None or int(key) <= int(upto)
            if is_within and any(is_chosen(kind, chosen[side], side, key, row) for row in rows):
                found[side][key] = rows
    ours, theirs = found[Side.DISTRICT], found[Side.STATE]
    return (
        Page(ours, is_full=False, upto=upto, beside={key: district.get(key, ()) for key in theirs if key not in ours}),
        Page(theirs, is_full=False, upto=upto, beside={key: state.get(key, ()) for key in ours if key not in theirs}),
    )


def is_chosen(kind: ObjectType, condition: Condition, side: Side, key: str, row: Row) -> bool:
    texts = dict(zip((field.name for field in kind.compared), row, strict=True)) | {"key": key}
    return evaluate(condition, lambda operand: read_value(operand, side, texts[operand.field.name])) is True


def digests(kind: ObjectType, district: Page, state: Page) -> tuple[Digest, Digest]:
    """Of what the pages hold, as a server may give them: checksums are alike exactly where the rows are equal."""
    ours, theirs = district.rows, state.rows
    alike = ours.keys() == theirs.keys() and all(_are_alike(kind, ours[key], theirs[key]) for key in ours)
    found = digest(ours, "alike" if alike else "ours"), digest(theirs, "alike" if alike else "theirs")
    return replace(found[0], upto=district.upto), replace(found[1], upto=state.upto)


def lines(kind: ObjectType, district: Page, state: Page) -> tuple[Page, Page]:
    """As a server may give them: each row a digest, the same exactly where rows are equal."""
    ours: dict[str, tuple[Row, ...]] = {key: (("ours",),) * len(rows) for key, rows in district.rows.items()}
    theirs: dict[str, tuple[Row, ...]] = {
        key: tuple(("ours" if _are_alike(kind, district.rows.get(key, ())[:1], (row,)) else "theirs",) for row in rows)
        for key, rows in state.rows.items()
    }
    return replace(district, rows=ours), replace(state, rows=theirs)


def packed(kind: ObjectType, district: Page, state: Page) -> tuple[Lines, Lines]:
    """As a server gives many: the pages of `lines`, without the names of rows."""
    place = place_of(scan_order(kind))

    def side(page: Page) -> Lines:
        rows = [(place(key), row[0]) for key, of_key in page.rows.items() for row in of_key]
        return Lines([key for key, _ in rows], [int(name == "ours") for _, name in rows], page.is_full)

    return side(district), side(state)


def _are_alike(kind: ObjectType, ours: tuple[Row, ...], theirs: tuple[Row, ...]) -> bool:
    try:
        return len(ours) == len(theirs) and all(
            compare(kind, *both) == EQUAL for both in zip(ours, theirs, strict=True)
        )
    except FieldError:
        return False


def digest(rows: Mapping[str, tuple[Row, ...]], checksum: str = "") -> Digest:
    return Digest(sum(map(len, rows.values())), len(rows), next(reversed(list(rows)), None), checksum, are_plain=True)


def _are_same(kind: ObjectType, ours: tuple[Row, ...], theirs: tuple[Row, ...]) -> bool:
    """One row a side, as digests tell it."""
    return len(ours) == 1 and _are_alike(kind, ours, theirs)


Place: TypeAlias = tuple[str, str]
"""Object and key."""


@dataclass(slots=True)
class World:
    """Both sides of one district. Corrections are carried out here as an applier must, and never otherwise."""

    district: dict[Place, tuple[Row, ...]] = field(default_factory=dict)
    state: dict[Place, tuple[Row, ...]] = field(default_factory=dict)
    known: Catalog = field(default=CATALOG, kw_only=True, repr=False)
    by_digests: bool = field(default=False, kw_only=True)
    """What is the same on both sides is told without its columns."""

    def observe(self, *chunks: Chunk) -> Snapshot:
        """Reads the chunks' keys, then parents until none is missing, as the service does."""
        snapshot = Snapshot("NORTH")
        for each in chunks:
            self._read(snapshot, each.object, [ask.key for ask in each.asks])
        while wanted := parents_to_read(chunks, self.known, snapshot):
            for name, keys in wanted.items():
                self._read(snapshot, name, keys)
        return snapshot

    def _read(self, snapshot: Snapshot, name: str, keys: list[str]) -> None:
        sides = [{key: side[name, key] for key in keys if (name, key) in side} for side in (self.district, self.state)]
        if self.by_digests:
            same = [key for key in keys if _are_same(self.known.objects[name], *(side.get(key, ()) for side in sides))]
            snapshot.add_same(name, SameRead(same, VERSION, READ_AT, READ_AT))
            keys = [key for key in keys if key not in same]
        snapshot.add(name, keys, DistrictRead(sides[0], READ_AT, VERSION), SideRead(sides[1], READ_AT))

    def decide(self, asked: Chunk, now: datetime = NOW) -> Plan:
        return decide(asked, self.known, self.observe(asked), now)

    def apply(self, corrections: Iterable[Correction]) -> list[Correction]:
        """Changes the state's rows. Returns the corrections whose parent was not there."""
        orphans = []
        for correction in corrections:
            if self.parent_is_there(correction):
                self._apply(correction)
            else:
                orphans.append(correction)
        return orphans

    def parent_is_there(self, correction: Correction) -> bool:
        """It has to be where the reference is new to the state."""
        parent, reference = correction.parent, self.known.objects[correction.source.object].parent
        if correction.op is Op.DELETE or parent is None or reference is None:
            return True
        return reference.field not in correction.source.changed_fields or (parent.object, parent.key) in self.state

    def _apply(self, correction: Correction) -> None:
        source = correction.source
        kind, place = self.known.objects[source.object], (source.object, source.key)
        rows = self.state.get(place, ())
        held = [state_values(kind, each) for each in rows]
        assert held == ([] if correction.before is None else [correction.before]), "the state is not as compared"
        if correction.after is None:
            del self.state[place]
            return
        everything = correction.op is Op.CREATE or source.mode is Mode.FORCE
        written = {f.name for f in kind.owned} if everything else set(source.changed_fields)
        base = rows[0] if rows else row(kind)
        self.state[place] = (
            tuple(
                side_text(f, correction.after[f.name], kind.state.timezone) if f.name in written else text
                for f, text in zip(kind.compared, base, strict=True)
            ),
        )


def statuses(plan: Plan) -> dict[Place, Status]:
    """The last status of each key."""
    return {(o.object, o.key): o.status for o in outcomes(plan)}
