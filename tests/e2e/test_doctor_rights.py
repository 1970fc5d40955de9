"""Rights that are missing at databases: `resync doctor` names them, and its statements grant them."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.conninfo import make_conninfo

from tests.e2e.conftest import Deploy
from tests.e2e.deployment import Deployment
from tests.e2e.diagnosis import ask, execute


@contextmanager
def role_at(deployment: Deployment, side: str, grants: str) -> Iterator[str]:
    """The name of a role that may do only what is granted; gone with all its rights afterwards."""
    name = f"role_{deployment.name}"
    execute(deployment, side, f"create role {name} login; {grants.format(role=name)}")
    try:
        yield name
    finally:
        execute(deployment, side, f"drop owned by {name}; drop role {name}")


def dsn_of(deployment: Deployment, side: str, role: str) -> str:
    return make_conninfo(deployment.dsns[side], user=role)


def mended(deployment: Deployment, side: str, settings: dict[str, str | None]) -> list[str]:
    """Has all errors of rights mended by what the doctor says, until there is none; returns what was said."""
    said: list[str] = []
    for _ in range(3):
        told = ask(deployment, settings=settings)
        assert {finding["check"] for finding in told.errors} <= {"rights", "tables", "columns"}, told.errors
        if not told.errors:
            assert told.code == 0
            return said
        for finding in told.errors:
            said.append(finding["what"])
            execute(deployment, side, finding["command"])
    raise AssertionError(said)


def test_rights_at_the_state_are_named_and_mended(patient: Deployment) -> None:
    with role_at(patient, "state", "revoke all on schema public from public") as role:
        said = mended(patient, "state", {"RESYNC_STATE_DSN": dsn_of(patient, "state", role)})
        assert any("may not use its schema" in what for what in said)
        assert any("lacks SELECT, INSERT, UPDATE, DELETE on state_person" in what for what in said)
        assert any("may not use the sequence state_identifier" in what for what in said)
        assert any("may not use the schema resync_applier" in what for what in said)
        assert any("on resync_applier.versions" in what for what in said)
        # One right that is revoked is one finding.
        execute(patient, "state", f"revoke update on state_graduation from {role}")
        told = ask(patient, settings={"RESYNC_STATE_DSN": dsn_of(patient, "state", role)})
        assert [finding["command"] for finding in told.errors] == [f"GRANT UPDATE ON state_graduation TO {role};"]
    execute(patient, "state", "grant usage on schema public to public")


def test_rights_at_a_district_are_named_and_mended(patient: Deployment) -> None:
    with role_at(patient, "NORTH", "grant select on identity to {role}") as role:
        said = mended(patient, "NORTH", {"RESYNC_DISTRICT_DSN_NORTH": dsn_of(patient, "NORTH", role)})
        assert not any("on identity" in what for what in said)
        assert any("lacks SELECT on enrollment" in what for what in said)


def test_rights_at_the_history_are_named_and_mended(patient: Deployment) -> None:
    name = patient.rows("history", "select current_database()")[0][0]
    with role_at(patient, "history", f"revoke temporary on database {name} from public") as role:
        said = mended(patient, "history", {"RESYNC_HISTORY_DSN": dsn_of(patient, "history", role)})
        assert any("temporary tables" in what for what in said)
        assert any("lacks SELECT, INSERT, UPDATE, DELETE on tables of resync_store" in what for what in said)


def test_an_applier_that_may_not_make_its_tables_is_told(deploy: Deploy) -> None:
    deployment = deploy()
    with role_at(deployment, "state", "grant all on all tables in schema public to {role}") as role:
        settings: dict[str, str | None] = {"RESYNC_STATE_DSN": dsn_of(deployment, "state", role)}
        told = ask(deployment, settings=settings)
        found = told.of("tables", "state", "there is no resync_applier.applied")
        execute(deployment, "state", found["command"])
        assert not any("resync_applier" in finding["what"] for finding in ask(deployment, settings=settings).findings)
        foreign = ask(deployment, settings={**settings, "RESYNC_APPLIER_GROUP": "other"})
        assert not any("resync_applier" in finding["what"] for finding in foreign.findings)
