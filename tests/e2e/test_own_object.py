"""What a deployment adds by a schema file and an entry of the catalog, no code; and districts that share a database."""

import json
from pathlib import Path

import yaml

from processor.core.history import RequestState
from processor.core.request import All, Mode, Report
from tests.e2e.conftest import Deploy
from tests.e2e.deployment import CATALOG, Deployment
from tests.e2e.watcher import Story, said

LOCKER = {
    "type": "record",
    "name": "Locker",
    "namespace": "selectivesync.v1",
    "doc": "A locker of a school.",
    "fields": [
        {"name": "code", "type": ["null", "string"], "default": None, "doc": "Its lock's.", "compare": ["trim"]},
        {"name": "since", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None, "doc": "In use."},
        {
            "name": "fee",
            "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}],
            "default": None,
            "doc": "A year.",
        },
        {"name": "audited", "type": ["null", "boolean"], "default": None, "doc": "At the state.", "owner": "state"},
    ],
}
ENTRY = {
    "key": "text",
    "district": {"table": "locker", "key": "number", "district_column": "org"},
    "state": {"table": "state_locker", "key": "district_number", "district_column": "district_id"},
    "fields": {
        "code": {"district": "code", "state": "lock_code"},
        "since": "since",
        "fee": "fee",
        "audited": "audited",
    },
}
TABLE = """
create table locker (org text, number text, code text, since date, fee numeric, audited boolean,
                     primary key (org, number));
create index on locker (org, (number::text) collate "C");
insert into locker (org, number, code, since, fee)
select org, 'A/' || n, org || n, date '2026-08-01' + n, n
from unnest(array['NORTH', 'EAST']) org, generate_series(1, 200) n;
insert into locker (org, number, code) values ('NORTH', 'only here', 'x')
"""
STATE_TABLE = """
create table state_locker (district_id text, district_number text, lock_code text, since date, fee numeric(5, 2),
                           audited boolean default true, primary key (district_id, district_number));
create index on state_locker (district_id, (district_number::text) collate "C");
insert into state_locker (district_id, district_number, lock_code, since, fee)
select org, 'A/' || n, org || n || '  ', date '2026-08-01' + n, n
from unnest(array['NORTH', 'EAST']) org, generate_series(3, 200) n;
update state_locker set fee = 99 where district_number = 'A/3';
insert into state_locker (district_id, district_number, lock_code) values ('EAST', 'A/0', 'gone')
"""


def test_an_object_of_one_s_own_in_a_database_that_districts_share(deploy: Deploy, tmp_path: Path) -> None:
    made = deploy(settings=own_files(tmp_path))
    made.rows("NORTH", TABLE)
    made.rows("state", STATE_TABLE)
    made.start_all()
    keys = ["A/1", "A/3", "A/5", "only here", "A/0"]
    stories = {district: ask(made, district, keys) for district in ("NORTH", "EAST")}
    for district, story in stories.items():
        here, at_state_alone = ("APPLIED", "NOT_FOUND") if district == "NORTH" else ("NOT_FOUND", "STATE_ONLY")
        told = [said(story.last(key, "Locker")) for key in keys]
        assert told == ["APPLIED", "APPLIED", "IN_SYNC EXPECTED_DIFFERENCE", here, at_state_alone], district
    # The whole object, by digests: what nobody asked for is still missing, and no other district's row is seen.
    verified = made.watcher.story(
        made.submit("EAST", "Locker", (), selection=All(), mode=Mode.VERIFY, report=Report.CHANGES)
    )
    made.watcher.until(lambda: verified.ends, "the announced end", 60)
    assert verified.ends[-1].state is RequestState.COMPLETE, verified.ends[-1].detail
    assert {key: said(told[-1]) for (_, key), told in verified.outcomes.items()} == {
        "A/2": "MISSING_AT_STATE",
        "A/0": "MISSING_AT_DISTRICT",
    }
    assert sum(chunk.in_sync for chunk in verified.chunks.values()) == 199
    query = "select district_id, lock_code, since::text, fee, audited from state_locker where district_number = 'A/3'"
    assert sorted(made.rows("state", query)) == [
        ("EAST", "EAST3  ", "2026-08-04", 3, True),
        ("NORTH", "NORTH3  ", "2026-08-04", 3, True),
    ], "only what differed was written"


def ask(deployment: Deployment, district: str, keys: list[str]) -> Story:
    story = deployment.watcher.story(deployment.submit(district, "Locker", keys))
    deployment.watcher.until_ended([story.request_id], 60)
    assert story.status is not None
    assert story.status.state is RequestState.ACCEPTED
    return story


def own_files(folder: Path) -> dict[str, object]:
    """Settings for a catalog and schemas with one object more, and with a district in another one's database."""
    schemas = folder / "schemas"
    (schemas / "objects").mkdir(parents=True)
    (schemas / "objects" / "Locker.avsc").write_text(json.dumps(LOCKER), encoding="utf-8")
    catalog = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    catalog["objects"]["Locker"] = ENTRY
    catalog["districts"]["EAST"] = {"name": "East", "dsn": "${RESYNC_DISTRICT_DSN_NORTH}"}
    catalog["crosswalks"] = {name: str(CATALOG.parent / file) for name, file in catalog["crosswalks"].items()}
    (folder / "catalog.yaml").write_text(yaml.safe_dump(catalog), encoding="utf-8")
    return {"schemas": schemas, "catalog": folder / "catalog.yaml"}
