"""Random batches, redeliveries, editors and aborts; what must hold after them. The seed is in the test's name."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress

import pytest

from processor.core.correction import Answer, Correction, Op, Result
from processor.core.values import Values
from processor.crashpoint import CrashPoints
from tests.applying import apply
from tests.integration.applier.world import NOW, World, complete, create, delete, update

DISTRICTS = ("NORTH", "RIVER")
PERSONS = ("1", "2", "3")
ENROLLMENTS = ("11", "12", "13", "14")
WATCH = """
create table written (n bigint generated always as identity, who text, what text, district text, key text);
create table ordered (n bigint generated always as identity, record text, version bigint[]);
create function watch_row() returns trigger language plpgsql as $$
declare changed record := coalesce(new, old);
begin
    insert into written (who, what, district, key)
    values (current_setting('application_name'), tg_argv[0], changed.district_id,
            to_jsonb(changed) ->> (lower(tg_argv[0]) || '_id'));
    return null;
end $$;
create trigger watch after insert or update or delete on person for each row execute function watch_row('Person');
create trigger watch after insert or update or delete on enrollment
    for each row execute function watch_row('Enrollment');
create function watch_version() returns trigger language plpgsql as $$
begin
    insert into ordered (record, version)
    values (concat_ws('/', new.district_id, new.object, new.key),
            array[new.epoch, new.snapshot_xmax, -new.in_progress]);
    return null;
end $$;
create trigger watch after insert or update on resync_applier.versions
    for each row execute function watch_version();
"""


class Aborted(Exception):
    pass


class _Aborts(CrashPoints):
    """Now and then a batch dies just before its commit."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(None)
        self._chance = chance

    def __call__(self, name: str) -> None:
        if name == "apply.before_sql_commit" and self._chance.random() < 0.15:
            raise Aborted


class _Story:
    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._xmax = 100
        self.sent: list[Correction] = []

    def corrections(self, count: int) -> Iterator[Correction]:
        for _ in range(count):
            self._xmax += self._chance.randrange(3)
            made = self._correction()
            self.sent.append(made)
            yield made

    def _correction(self) -> Correction:
        """As a processor would make it that read the state some time ago and the district at a given version."""
        chance = self._chance
        district = chance.choice(DISTRICTS)
        name, keys = chance.choice((("Person", PERSONS), ("Enrollment", ENROLLMENTS)))
        key = chance.choice(keys)
        xmax = self._xmax - chance.choice((0, 0, 0, 5, 20))
        held = self.held(district, name, key)
        if held is not None and chance.random() < 0.2:
            held = {**held, ("lastName" if name == "Person" else "grade"): chance.choice("xyz")}
        wanted: Values = (
            {"lastName": chance.choice("abc")}
            if name == "Person"
            else {"personID": chance.choice(PERSONS), "grade": chance.choice("123")}
        )
        if held is None or chance.random() < 0.2:
            return create(name, key, wanted, xmax, district)
        if chance.random() < 0.3:
            return delete(name, key, held, xmax, district)
        return update(name, key, held, wanted, xmax, district=district)

    def held(self, district: str, name: str, key: str) -> Values | None:
        if name == "Person":
            rows = self._world.rows(
                "select last_name from person where district_id = %s and person_id = %s", district, int(key)
            )
            return complete(name, {"lastName": rows[0][0]}) if rows else None
        rows = self._world.rows(
            "select p.person_id::text, e.grade from enrollment e join person p on p.state_id = e.state_person_id"
            " where e.district_id = %s and e.enrollment_id = %s",
            district,
            int(key),
        )
        return complete(name, {"personID": rows[0][0], "grade": rows[0][1]}) if rows else None

    def edit(self) -> None:
        """Somebody at the state."""
        what = self._chance.randrange(3)
        if what == 0:
            self._world.edit("update person set last_name = %s where person_id = %s", "z", self._chance.randint(1, 3))
        elif what == 1:
            self._world.edit("update enrollment set grade = 'y' where enrollment_id = %s", self._chance.randint(11, 14))
        else:
            self._world.edit("delete from enrollment where enrollment_id = %s", self._chance.randint(11, 14))


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_anything(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.edit(WATCH)
    story = _Story(world, chance)
    writers = [world.another_writer(crash_points=_Aborts(chance)) for _ in range(2)]
    answered: dict[str, Answer] = {}
    for _ in range(40):
        batch = list(story.corrections(chance.randint(1, 12)))
        batch += chance.sample(story.sent, min(len(story.sent), chance.randint(0, 4)))
        chance.shuffle(batch)
        if chance.random() < 0.5:
            story.edit()
        with suppress(Aborted):
            answers = apply(batch, chance.choice(writers), NOW)
            assert [answer.source for answer in answers] == [correction.source for correction in batch]
            for answer in answers:
                assert answered.setdefault(answer.source.correction_id, answer) == answer
    answers = apply(story.sent, world.writer, NOW)
    for answer in answers:
        assert answered.setdefault(answer.source.correction_id, answer) == answer

    _each_took_effect_once(world, answered)
    _never_backwards(world)
    assert {answer.result for answer in answered.values()} >= {
        Result.APPLIED,
        Result.ALREADY_EQUAL,
        Result.CONFLICT,
        Result.HAS_CHILDREN,
        Result.PARENT_MISSING,
    }
    assert {c.op for c in story.sent if answered[c.source.correction_id].result is Result.APPLIED} == set(Op)


def _each_took_effect_once(world: World, answered: dict[str, Answer]) -> None:
    applied = Counter(
        (answer.source.object, answer.source.district_id, answer.source.key)
        for answer in answered.values()
        if answer.result is Result.APPLIED
    )
    written = {
        (what, district, key): times
        for what, district, key, times in world.rows(
            "select what, district, key, count(*) from written where starts_with(who, 'resync/') group by 1, 2, 3"
        )
    }
    assert written == dict(applied)


def _never_backwards(world: World) -> None:
    versions: dict[str, list[list[int]]] = defaultdict(list)
    for record, version in world.rows("select record, version from ordered order by n"):
        versions[record].append(version)
    assert versions
    for of_one in versions.values():
        assert of_one == sorted(of_one)
