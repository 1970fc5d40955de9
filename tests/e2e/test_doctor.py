"""`resync doctor` as a command: what is well, what is away, what is not set, and its forms of output."""

import json
from socket import create_server

import psycopg
from psycopg.conninfo import make_conninfo

from tests.e2e.commands import run
from tests.e2e.deployment import Deployment
from tests.e2e.diagnosis import ask, execute, healthy

PASSWORD = "sesame-4711"  # noqa: S105 (planted, to see that it is not told)


def test_what_is_well_is_left_at_peace(patient: Deployment) -> None:
    healthy(patient)
    ended = run(patient, "doctor")
    assert ended.returncode == 0, ended.stdout
    assert "7 parts looked at: 0 errors" in ended.stderr
    assert "warning indexes at state: nothing makes (district_id, district_score_id) unique" in ended.stdout


def test_one_part_away_stops_no_other(patient: Deployment) -> None:
    """Faults of the parts that are there are told all the same, and no password is."""
    patient.rows("RIVER", "drop index identity_person")
    nobody = f"host=127.0.0.1 port=1 dbname=x user=x password={PASSWORD}"
    with create_server(("127.0.0.1", 0)) as silent:
        settings: dict[str, str | None] = {
            "RESYNC_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "RESYNC_REGISTRY_URL": "http://127.0.0.1:1",
            "RESYNC_STATE_DSN": nobody,
            "RESYNC_DISTRICT_DSN_NORTH": f"host=127.0.0.1 port={silent.getsockname()[1]} dbname=x user=x",
            "RESYNC_DISTRICT_DSN_LAKE": make_conninfo(patient.dsns["LAKE"], dbname="nothing_here"),
        }
        told = ask(patient, settings=settings)
    assert told.code == 1
    told.of("reach", "Kafka", "nobody listens there")
    told.of("reach", "registry", "http://127.0.0.1:1")
    told.of("reach", "state", r"RESYNC_STATE_DSN \(127.0.0.1:1\): nobody listens there")
    told.of("reach", "NORTH", "no answer in time")
    told.of("reach", "LAKE", "there is no such database or role")
    found = told.of("indexes", "RIVER", "identity has no index")
    assert PASSWORD not in json.dumps(told.findings) + told.err
    execute(patient, "RIVER", found["command"])
    healthy(patient)


def test_a_server_that_stands_still_is_left_behind(patient: Deployment) -> None:
    """A lock on the catalog itself: the statement's own deadline ends the look."""
    with psycopg.connect(patient.dsns["LAKE"]) as holder:
        holder.execute("lock table pg_catalog.pg_index in access exclusive mode")
        told = ask(patient, "--timeout", "10")
        assert told.code == 1
        told.of("reach", "LAKE", "QueryCanceled|no answer|cannot be reached")
        holder.rollback()
    healthy(patient)


def test_what_is_not_set_is_a_warning(patient: Deployment) -> None:
    told = ask(patient, settings={"RESYNC_HISTORY_DSN": "", "RESYNC_DISTRICT_DSN_LAKE": None})
    assert told.code == 0
    told.of("reach", "history", "was not looked at: RESYNC_HISTORY_DSN is not set")
    told.of("reach", "LAKE", "the environment has no RESYNC_DISTRICT_DSN_LAKE")


def test_rows_for_a_program(patient: Deployment) -> None:
    patient.rows("LAKE", "drop index identity_person")
    ended = run(patient, "doctor", "--output", "ndjson")
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 1
    assert rows[0]["check"] == "indexes"
    execute(patient, "LAKE", "create index identity_person on identity (person_id)")
    csv = run(patient, "doctor", "--output", "csv")
    assert csv.stdout.splitlines()[0] == "level,check,where,what,advice,command"


def test_a_catalog_that_cannot_be_read_ends_the_command(patient: Deployment) -> None:
    ended = run(patient, "doctor", settings={"RESYNC_CATALOG": "/nowhere.yaml"})
    assert ended.returncode == 2
    assert "/nowhere.yaml" in ended.stderr
