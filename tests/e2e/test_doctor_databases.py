"""Faults of databases, planted many at a time: `resync doctor` names each, and what it says mends it."""

from collections.abc import Collection
from dataclasses import dataclass

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.e2e.deployment import Deployment
from tests.e2e.diagnosis import ask, execute, healthy


@dataclass(frozen=True)
class Fault:
    """`undo` where the doctor can only advise."""

    side: str
    plant: str
    check: str
    says: str
    undo: str = ""
    level: str = "error"


PERSON_KEY = "foreign key (state_person_id) references state_person"
FAULTS = {
    "no-index": Fault(
        "state",
        "drop index state_test_score_key",
        "indexes",
        r"state_test_score has no index that begins with \(district_id, district_score_id\)",
    ),
    "no-index-of-district": Fault(
        "NORTH", "drop index identity_person", "indexes", r"identity has no index that begins with \(person_id\)"
    ),
    "no-index-of-parent": Fault(
        "RIVER", "drop index enrollment_person", "indexes", "enrollment has no index", level="warning"
    ),
    "not-unique": Fault(
        "state",
        "alter table state_behavior drop constraint state_behavior_key;"
        "create index on state_behavior (district_id, district_behavior_id)",
        "indexes",
        "unique in state_behavior",
        level="warning",
    ),
    "cascade": Fault(
        "state",
        "alter table state_enrollment drop constraint state_enrollment_person,"
        f" add constraint state_enrollment_person {PERSON_KEY} on delete cascade",
        "cascades",
        "state_enrollment_person refers to state_person ON DELETE CASCADE",
    ),
    "set-null": Fault(
        "state",
        "create table badge (id bigint primary key, person bigint constraint badge_person references state_person"
        " on delete set null)",
        "cascades",
        "badge_person refers to state_person ON DELETE SET NULL",
    ),
    "trigger": Fault(
        "state",
        "create function close_enrollments() returns trigger language plpgsql as $$ begin"
        " update state_enrollment set exit_code = null where state_person_id = new.state_id; return null; end $$;"
        "create trigger close_enrollments after update on state_person for each row"
        " execute function close_enrollments()",
        "cascades",
        "trigger close_enrollments on state_person .* seems to write to state_enrollment",
        level="warning",
    ),
    "type": Fault(
        "state",
        "alter table state_graduation alter column diploma_on type timestamptz",
        "types",
        "state_graduation.diploma_on is timestamp with time zone, which is not read as a date",
    ),
    "loses": Fault(
        "state",
        "alter table state_behavior alter column event_at type timestamptz(0)",
        "types",
        "event_at is timestamp.0. with time zone, which keeps less",
    ),
    "key-type": Fault(
        "LAKE",
        "alter table graduation alter column graduation_id type text",
        "types",
        "graduation_id is text, the catalog reads it as a key of type integer",
    ),
    "not-null": Fault(
        "state",
        "alter table state_graduation add column approved_by text not null",
        "types",
        "approved_by must not be null, has no default",
    ),
    "generated": Fault(
        "state",
        "alter table state_graduation rename column plan to plan_text;"
        "alter table state_graduation add column plan text generated always as (plan_text) stored",
        "types",
        "plan is written by the database itself",
        "alter table state_graduation drop column plan; alter table state_graduation rename column plan_text to plan",
    ),
    "column": Fault(
        "state",
        "alter table state_person rename column unit to units",
        "columns",
        r"state_person has no column unit \(is it units\?\)",
        "alter table state_person rename column units to unit",
    ),
    "column-of-district": Fault(
        "NORTH",
        "alter table identity rename column zip to postcode",
        "columns",
        "identity has no column zip",
        "alter table identity rename column postcode to zip",
    ),
    "table": Fault(
        "NORTH",
        "alter table behavior rename to behaviour",
        "columns",
        "there is no table behavior",
        "alter table behaviour rename to behavior",
    ),
    "epoch": Fault(
        "state",
        "insert into resync_applier.versions values"
        " ('LAKE', 'PersonIdentity', '1', 1, 9000000000000, 0, gen_random_uuid())",
        "epochs",
        "it was replaced or restored",
        "delete from resync_applier.versions where snapshot_xmax = 9000000000000",
    ),
    "newer-epoch": Fault(
        "state",
        "insert into resync_applier.versions values ('LAKE', 'PersonIdentity', '1', 7, 1, 0, gen_random_uuid())",
        "epochs",
        "the catalog's epoch is 1, corrections of epoch 7",
        "delete from resync_applier.versions where epoch = 7",
    ),
    "history-too-new": Fault(
        "history",
        "insert into resync_store.migrations values (9999, 'later')",
        "tables",
        "the tables are of version 9999",
        "delete from resync_store.migrations where version = 9999",
    ),
}
AT = {"epoch": "LAKE", "newer-epoch": "LAKE"}
"""Where a fault is told, if not where it was planted."""
MISSING = ("column", "column-of-district", "table", "newer-epoch", "history-too-new")
TOGETHER = {"missing": MISSING, "unfit": [name for name in FAULTS if name not in MISSING]}
"""What is not there at all apart from what is there and does not fit."""


@pytest.mark.parametrize("names", TOGETHER.values(), ids=TOGETHER)
def test_faults_of_databases_are_named_and_mended(patient: Deployment, names: Collection[str]) -> None:
    for name in names:
        execute(patient, FAULTS[name].side, FAULTS[name].plant)
    told = ask(patient)
    for name in names:
        fault = FAULTS[name]
        found = told.of(fault.check, AT.get(name, fault.side), fault.says)
        assert found["level"] == fault.level, name
        assert (found["command"] is None) == bool(fault.undo), name
        execute(patient, fault.side, fault.undo or found["command"])
    healthy(patient)


def test_a_server_of_another_zone_is_named(patient: Deployment) -> None:
    name = patient.rows("NORTH", "select current_database()")[0][0]
    patient.rows("NORTH", "alter table enrollment alter column modified_date set default localtimestamp")
    patient.rows("NORTH", f"alter database {name} set timezone = 'Asia/Tokyo'")
    found = ask(patient).of("timezones", "NORTH", "Asia/Tokyo; the catalog takes it as America/Chicago")
    execute(patient, "NORTH", found["command"])
    healthy(patient)
    patient.rows("NORTH", "alter table enrollment alter column modified_date drop default")


def test_a_clock_that_is_wrong_is_named(patient: Deployment) -> None:
    """The role's search path puts another clock before the server's own, which is as wrong as a server's may be."""
    name = patient.rows("LAKE", "select current_database()")[0][0]
    execute(
        patient,
        "LAKE",
        "create schema wrong; create function wrong.clock_timestamp() returns timestamptz language sql as"
        " $$ select pg_catalog.clock_timestamp() + interval '90 s' $$;"
        f"alter database {name} set search_path = wrong, pg_catalog, public",
    )
    found = ask(patient).of("clocks", "LAKE", r"the server's clock is (89\.\d|90\.\d) s ahead")
    assert found["level"] == "error"
    execute(patient, "LAKE", f"alter database {name} reset search_path")
    execute(patient, "LAKE", "drop schema wrong cascade")
    healthy(patient)


def test_letters_that_a_server_does_not_know_are_told(patient: Deployment) -> None:
    """Two databases of other encodings: one knows what its bytes mean and one does not."""
    for encoding, level, says in (
        ("SQL_ASCII", "error", "has the encoding SQL_ASCII"),
        ("LATIN1", "warning", "LATIN1. cannot hold the text 李"),
    ):
        name = f"{patient.name}_{encoding.lower()}"
        statement = sql.SQL("create database {} template template0 encoding {} locale 'C'")
        patient.connection("LAKE").execute(statement.format(sql.Identifier(name), sql.Literal(encoding)))
        told = ask(patient, settings={"RESYNC_DISTRICT_DSN_LAKE": make_conninfo(patient.dsns["LAKE"], dbname=name)})
        assert told.of("texts", "LAKE", says)["level"] == level
        patient.connection("LAKE").execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
