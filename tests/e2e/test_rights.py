"""Rights through the real pipeline: what a topic may say, and what a person may ask for and see."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.cli.parts import NO_OBJECTS
from processor.codec import Codec
from processor.core.history import Clear, RequestState
from processor.core.partition import partition_of
from processor.core.request import Dependencies, Mode, OnStateOnly, Side
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.console import Ended, resync
from tests.e2e.deployment import PARTITIONS, Deployment
from tests.e2e.people import assert_same, persons, rename
from tests.e2e.promises import prove

TOKENS = {name: f"the token of {name}" for name in ("north-clerk", "north-chief", "auditor", "admin", "clearer")}
ALL: dict[str, Any] = {"districts": "all", "objects": "all"}
NORTH: dict[str, Any] = {"districts": ["NORTH"], "objects": ["PersonIdentity"], "sides": ["DISTRICT"]}
PRINCIPALS = {
    "north-clerk": {**NORTH, "rights": ["R", "W"]},
    "north-chief": {**NORTH, "rights": ["R", "W", "D"]},
    "auditor": {**ALL, "sides": ["STATE"], "rights": ["R"]},
    "admin": {**ALL, "sides": ["STATE"], "rights": ["R", "W", "force"]},
    "clearer": {**ALL, "sides": ["STATE"], "rights": ["R", "D"]},
}


def policy_of(deployment: Deployment, *, default: bool = True) -> dict[str, Any]:
    topics: dict[str, Any] = {norths(deployment): {**NORTH, "writers": ["User:sis"]}}
    if default:
        everything = {**ALL, "sides": ["DISTRICT", "STATE"], "modes": ["SYNC", "FORCE", "VERIFY"]}
        topics[deployment.topics.requests] = {**everything, "writers": []}
    principals = {
        name: {"tokens": [sha256(TOKENS[name].encode()).hexdigest()], "grants": [grant]}
        for name, grant in PRINCIPALS.items()
    }
    control = {deployment.topics.control: {"writers": [], "districts": ["NORTH"], "objects": "all"}}
    return {"principals": principals, "topics": topics, "control": control}


def norths(deployment: Deployment) -> str:
    return f"{deployment.name}.requests.north"


def use(deployment: Deployment, policy: dict[str, Any]) -> Path:
    """Before the roles start."""
    file = deployment.directory / "policy.yaml"
    file.write_text(yaml.safe_dump(policy), encoding="utf-8")
    deployment.env["RESYNC_POLICY"] = str(file)
    return file


def put(deployment: Deployment, request: Any, topic: str, *, partition: int | None = None) -> str:
    home = partition_of(request.district_id, PARTITIONS) if partition is None else partition
    deployment.put(topic, deployment.encoded(request), request.district_id.encode(), home)
    deployment.flush()
    return str(request.request_id)


def readings(deployment: Deployment) -> dict[str, int]:
    """Connections by which the processor last read something: it may have asked whether the database is there."""
    query = (
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and application_name like 'resync/process/%%'"
        " and length(query) > 60"
    )
    sides = ("state", "NORTH", "RIVER", "LAKE")
    return {side: int(deployment.rows(side, query)[0][0]) for side in sides}


NEVER_S = 1_000_000_000
"""Databases are asked once whether they are there, and never again."""


@pytest.fixture
def guarded(deploy: Deploy) -> Iterator[Deployment]:
    """A deployment with a policy, its topics made by `resync topics create`, all roles running."""
    deployment = deploy(settings=READ_SETTINGS | {"watch_s": NEVER_S})
    use(deployment, policy_of(deployment))
    made = resync(deployment.env, "topics", "create", "--output", "json")
    assert made.code == 0, made.err
    assert f"{norths(deployment)}-selectivesync.v1.ResyncRequest" in made.json()["subjects"]
    deployment.start_all()
    yield deployment
    deployment.admin.delete_topics([norths(deployment)])


BEYOND: dict[str, tuple[dict[str, Any], str]] = {
    "district": ({"district": "LAKE"}, "may not ask for this district"),
    "no such district": ({"district": "NOWHERE"}, "may not ask for this district"),
    "object": ({"object_name": "Enrollment"}, "this object"),
    "mode": ({"mode": Mode.FORCE}, "mode FORCE"),
    "side": ({"requested_from": Side.STATE}, "side STATE"),
    "dependencies": ({"dependencies": Dependencies.PARENTS}, "dependencies PARENTS"),
    "delete": ({"on_state_only": OnStateOnly.DELETE}, "deletion of what only the state has"),
}


def test_a_claim_beyond_the_topic_s_declaration_is_rejected_and_nothing_is_read(guarded: Deployment) -> None:
    keys = list(guarded.take_keys(3))
    for district in ("NORTH", "LAKE"):
        persons(guarded, district, keys)
        rename(guarded, district, keys)
    asked = {}
    for name, (changes, _) in BEYOND.items():
        wanted = {"district": "NORTH", "object_name": "PersonIdentity", "keys": keys, **changes}
        asked[name] = put(guarded, guarded.request(**wanted, requested_by="the state"), norths(guarded))
    misrouted = guarded.request("LAKE", "PersonIdentity", keys, requested_by="the state")
    other = (partition_of("LAKE", PARTITIONS) + 1) % PARTITIONS
    asked["misrouted"] = put(guarded, misrouted, norths(guarded), partition=other)
    watcher = guarded.watcher
    watcher.until_ended(asked.values())
    for name, told in {
        **{name: told for name, (_, told) in BEYOND.items()},
        "misrouted": BEYOND["district"][1],
    }.items():
        status = watcher.stories[asked[name]].status
        assert status is not None
        assert (status.state, status.reason) == (RequestState.REJECTED, "NOT_AUTHORIZED"), name
        assert (status.detail or "").endswith(told), (name, status.detail)
    assert readings(guarded) == {"state": 0, "NORTH": 0, "RIVER": 0, "LAKE": 0}
    assert not watcher.corrections
    assert guarded.role("process").log.read_text().count("is not authorised") == len(asked)

    wrong = (partition_of("NORTH", PARTITIONS) + 1) % PARTITIONS
    allowed = guarded.request("NORTH", "PersonIdentity", keys)
    done = [
        put(guarded, allowed, norths(guarded), partition=wrong),
        put(guarded, guarded.request("LAKE", "PersonIdentity", keys[:1]), guarded.topics.requests),
    ]
    watcher.until_ended(done)
    assert [watcher.story(each).counts() for each in done] == [{"APPLIED": 3}, {"APPLIED": 1}]
    assert readings(guarded) == {"state": 1, "NORTH": 1, "RIVER": 0, "LAKE": 1}, (
        "so that the zeros above mean something"
    )
    assert_same(guarded, "NORTH", keys)
    prove(guarded, done)

    put(guarded, allowed, guarded.topics.requests)
    last = put(guarded, guarded.request("NORTH", "PersonIdentity", keys), guarded.topics.requests)
    watcher.until_ended([last])
    assert [said.partition(" ")[0] for said in watcher.story(last).counts().elements()] == ["IN_SYNC"] * 3
    prove(guarded, [*done, last])


def as_person(deployment: Deployment, name: str) -> Callable[..., Ended]:
    env = {**deployment.env, "RESYNC_TOKEN": TOKENS.get(name, name)}
    return lambda *arguments: resync(env, *arguments)


def test_a_person_asks_for_and_sees_what_the_policy_gives(guarded: Deployment, tmp_path: Path) -> None:
    [key] = guarded.take_keys(1)
    for district in ("NORTH", "LAKE"):
        persons(guarded, district, [key])
        rename(guarded, district, [key])
    clerk, auditor, admin = (as_person(guarded, name) for name in ("north-clerk", "auditor", "admin"))
    person = ("--object", "PersonIdentity", str(key))
    before = guarded.ends([guarded.topics.requests])

    assert_refused(resync(guarded.env, "submit", "-d", "NORTH", *person), 2, "RESYNC_TOKEN_FILE")
    assert_refused(as_person(guarded, "nobody")("submit", "-d", "NORTH", *person), 1, "is nobody's in the policy")
    lake = clerk("submit", "-d", "LAKE", *person)
    assert_refused(lake, 1, "NOT_AUTHORIZED: north-clerk may not ask for this district")
    nowhere = clerk("submit", "-d", "NOWHERE", *person)
    assert nowhere == lake, "what exists elsewhere must not be seen by the answer"
    assert_refused(clerk("submit", "-d", "NORTH", "--mode", "force", *person), 1, "mode FORCE")
    assert_refused(clerk("submit", "-d", "LAKE", "--dry-run", *person), 1, "NOT_AUTHORIZED")
    assert_refused(clerk("submit", "-d", "NORTH", "--side", "state", *person), 1, "side STATE")
    assert_refused(auditor("submit", "-d", "NORTH", *person), 1, "NOT_AUTHORIZED")
    assert guarded.ends([guarded.topics.requests]) == before, "something was sent"

    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKENS['north-clerk']}\n")
    by_file = {**guarded.env, "RESYNC_TOKEN_FILE": str(token_file), "USER": "root"}
    mine = resync(by_file, "submit", "-d", "NORTH", "--wait", *person)
    theirs = admin("submit", "-d", "LAKE", "--mode", "force", "--wait", *person)
    assert (mine.code, theirs.code) == (0, 0), mine.err + theirs.err
    north, elsewhere = mine.out.strip(), theirs.out.strip()

    rows = {row["request_id"]: row for row in auditor("history", "--output", "json").json()}
    assert {rows[north]["requested_by"], rows[elsewhere]["requested_by"]} == {"north-clerk", "admin"}
    shown = auditor("show", elsewhere, "--output", "json").json()
    assert (shown["requested_from"], shown["district_id"]) == ("STATE", "LAKE")
    assert [row["request_id"] for row in clerk("history", "--output", "json").json()] == [north]
    assert_refused(clerk("history", "-d", "LAKE"), 1, "north-clerk may not see this district")
    unknown = "00000000-0000-4000-8000-000000000000"
    for command in ("show", "report"):
        assert clerk(command, north).code == 0
        hidden, missing = clerk(command, elsewhere), clerk(command, unknown)
        assert_refused(hidden, 1, f"there is no history of {elsewhere}")
        assert hidden.err.replace(elsewhere, unknown) == missing.err
    looked = ("record", "NORTH", "PersonIdentity", str(key), "--output", "json")
    assert [row["request_id"] for row in clerk(*looked).json()] == [north]
    lakes = ("record", "LAKE", "PersonIdentity", str(key))
    assert auditor(*lakes).code == 0
    hidden = clerk(*lakes)
    assert (hidden.code, hidden.err) == (1, f"the history knows nothing of PersonIdentity {key} of LAKE\n")
    assert "APPLIED" not in hidden.out
    nowhere = clerk("record", "NOWHERE", "PersonIdentity", str(key))
    assert nowhere.err == hidden.err.replace("LAKE", "NOWHERE")
    assert clerk("watch", north).code == 0
    assert_refused(clerk("watch", elsewhere, "--timeout", "1"), 1, "Not ended")


def refused_clearing(deployment: Deployment, request_id: str) -> bool:
    log = deployment.role("store").log.read_text().splitlines()
    return any("a wish to clear is not authorised" in line and request_id in line for line in log)


def test_a_request_id_of_another_district_used_again_opens_nothing_of_it(guarded: Deployment) -> None:
    """Whoever learned an id can use it again in the own district: then both districts' history lies under it."""
    mine, *theirs = guarded.take_keys(5)
    for district, keys in (("NORTH", [mine]), ("LAKE", theirs)):
        persons(guarded, district, keys)
        rename(guarded, district, keys)
    admin = as_person(guarded, "admin")
    env = {**guarded.env, "RESYNC_TOKEN": TOKENS["north-chief"]}
    for dsn, keys in ((env["RESYNC_HISTORY_DSN"], theirs[:2]), ("", theirs[2:])):
        sent = admin("submit", "-d", "LAKE", "--object", "PersonIdentity", "--wait", *map(str, keys))
        lake = sent.out.strip()
        attack = ("submit", "-d", "NORTH", "--request-id", lake, "--object", "PersonIdentity", "--wait", "-o", "json")
        attacked = resync({**env, "RESYNC_HISTORY_DSN": dsn}, *attack, str(mine))
        [result] = [row["result"] for row in attacked.json()["requests"]]
        assert (result["district_id"], result["keys"]) == ("NORTH", 1), attacked
        seen = [resync({**env, "RESYNC_HISTORY_DSN": dsn}, "watch", lake, "--output", "json")]
        seen += [resync(env, command, lake, "--output", "json") for command in ("report", "show", "watch")]
        seen += [resync(env, "history", "--output", "json"), attacked]
        for told in seen:
            assert [key for key in keys if f'"{key}"' in told.out] == [], told
            assert "LAKE" not in told.out, told
        assert f'"{mine}"' in seen[1].out, "so that the empty answers above mean something"

        assert_refused(resync(env, "clear", lake, "--yes"), 1, "which north-chief may not clear")
        codec = Codec.open(guarded.settings.schemas, NO_OBJECTS, guarded.settings.registry_url)
        by_hand = Clear(lake, "north-chief", datetime.now(UTC), datetime.now(UTC), "request")
        guarded.put(guarded.topics.control, codec.encode(guarded.topics.control, by_hand), lake.encode(), 0)
        guarded.flush()
        guarded.watcher.until(partial(refused_clearing, guarded, lake), "the refusal")
        query = "select key from history.outcomes where request_id = %s and district_id = 'LAKE' order by key"
        assert guarded.rows("history", query, [lake]) == [(str(key),) for key in keys]


def test_clearing_and_rebuilding_need_their_rights_and_the_store_holds_to_the_topic_s(guarded: Deployment) -> None:
    admin, auditor, clearer = (as_person(guarded, name) for name in ("admin", "auditor", "clearer"))
    nobody = ("--object", "PersonIdentity", "--wait", "900000001")
    north, lake = (admin("submit", "-d", district, *nobody).out.strip() for district in ("NORTH", "LAKE"))
    assert_refused(auditor("clear", north, "--yes"), 1, "auditor may not clear the history of PersonIdentity of NORTH")
    refused = f"the writers of {guarded.topics.control} may clear nothing of this district"
    assert_refused(clearer("clear", lake, "--yes"), 1, refused)

    by_hand = [Clear(each, "clearer", datetime.now(UTC), datetime.now(UTC), "request") for each in (lake, north)]
    codec = Codec.open(guarded.settings.schemas, NO_OBJECTS, guarded.settings.registry_url)
    for wish in by_hand:
        guarded.put(guarded.topics.control, codec.encode(guarded.topics.control, wish), wish.request_id.encode(), 0)
    guarded.flush()
    guarded.watcher.until(
        lambda: guarded.rows("history", "select request_id from history.clearings") == [(north,)],
        "the one clearing that is allowed",
    )
    log = guarded.role("store").log.read_text().splitlines()
    [told] = [line for line in log if "a wish to clear is not authorised" in line]
    assert lake in told
    assert auditor("show", lake).code == 0

    assert_refused(resync(guarded.env, "replay", "--verify"), 2, "RESYNC_TOKEN_FILE")
    assert_refused(as_person(guarded, "north-clerk")("replay", "--verify"), 1, "it needs R for all districts")
    assert_refused(auditor("replay"), 1, "auditor may not rebuild the history")
    assert auditor("replay", "--verify").code == 0
    assert clearer("replay").code == 0
    assert resync(guarded.env, "topics", "check").code == 0, "what a machine sets up needs no person"


def test_an_empty_history_says_why_as_far_as_one_may_see(guarded: Deployment) -> None:
    clerk, admin, clearer = (as_person(guarded, name) for name in ("north-clerk", "admin", "clearer"))
    nobody = ("--object", "PersonIdentity", "--wait", "900000001")
    assert "never used" in clerk("history").err
    lake = admin("submit", "-d", "LAKE", *nobody)
    assert lake.code == 0, lake.err
    assert "no requests among those that you may see: never used" in clerk("history").err
    north = admin("submit", "-d", "NORTH", *nobody).out.strip()
    assert "no such requests among those that you may see" in clerk("history", "--since", "2100-01-01").err
    assert clearer("clear", north, "--yes").code == 0
    assert "1 request was cleared by clearer at " in clerk("history").err


def assert_refused(ended: Ended, code: int, told: str) -> None:
    assert (ended.code, ended.out) == (code, ""), ended
    assert told in ended.err, ended


def test_topics_that_are_not_declared_are_named_at_the_start_and_may_say_nothing(deploy: Deploy) -> None:
    deployment = deploy(settings=READ_SETTINGS)
    use(deployment, {"topics": {}})
    role = deployment.start("process")
    name = deployment.topics.requests
    assert f"the policy does not declare the request topic {name}" in role.log.read_text()
    store = deployment.start("store")
    told = f"the policy does not declare the control topic {deployment.topics.control}: no wish on it is heard"
    assert told in store.log.read_text()
    checked = resync(deployment.env, "policy", "check")
    assert checked.code == 0
    assert f"the request topic {name} is not declared" in checked.err
    assert f"the control topic {deployment.topics.control} is not declared" in checked.err
    asked = deployment.submit("NORTH", "PersonIdentity", [7])
    deployment.watcher.until_ended([asked])
    status = deployment.watcher.stories[asked].status
    assert status is not None
    assert status.reason == "NOT_AUTHORIZED"


def test_without_a_policy_all_may_ask_and_the_start_says_so(running: Deployment) -> None:
    assert "no policy (RESYNC_POLICY)" in running.role("process").log.read_text()
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    asked = running.submit("NORTH", "PersonIdentity", [key], mode=Mode.FORCE, requested_from=Side.STATE)
    running.watcher.until_ended([asked])
    assert running.watcher.story(asked).counts() == {"APPLIED FORCED": 1}


def test_a_policy_with_mistakes_stops_the_processor_which_tells_them_all(deploy: Deploy) -> None:
    deployment = deploy()
    policy = policy_of(deployment)
    policy["principals"]["auditor"]["grants"][0]["rights"] = ["D"]
    policy["topics"][norths(deployment)]["districts"] = ["NORHT"]
    policy["topics"][deployment.topics.history] = policy["topics"][norths(deployment)]
    use(deployment, policy)
    checked = resync(deployment.env, "policy", "check")
    role = deployment.start("process", ready=False)
    assert (role.await_end(), checked.code) == (2, 2)
    for told in (role.log.read_text(), checked.err):
        assert "principals.auditor.grants.0.rights: D means nothing without R" in told
        assert f"topics.{norths(deployment)}.districts: Value error, the catalog has no NORHT" in told
        assert f"topics.{deployment.topics.history}.[key]: Value error, is a topic of the service itself" in told


def test_a_drawn_token_and_its_hash_fit() -> None:
    drawn = resync({}, "policy", "token")
    assert sha256(drawn.out.strip().encode()).hexdigest() in drawn.err
    assert resync({}, "policy", "token").out != drawn.out
