from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.core.policy import ControlRight, Policy, Right, Scope, Services
from processor.core.request import Dependencies, Mode, Side
from processor.core.rights import identify
from processor.policy_file import PolicyError, load_policy
from processor.settings import Settings
from stack.layout import REPO
from tests.unit.core.builders import CATALOG

TOKEN = sha256(b"a token").hexdigest()
GRANT: dict[str, Any] = {"sides": ["DISTRICT"], "districts": ["NORTH"], "objects": "all", "rights": ["R", "W"]}
TOPIC: dict[str, Any] = {"writers": ["User:sis"], "sides": ["DISTRICT"], "districts": "all", "objects": ["Person"]}


def written(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(
        document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False), encoding="utf-8"
    )
    return path


def load(tmp_path: Path, document: object) -> Policy:
    return load_policy(written(tmp_path, document), CATALOG, {"chunks": "resync.chunks", "control": "resync.control"})


def problems(tmp_path: Path, document: object) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, document)
    return caught.value.problems


def test_a_grant_and_a_topic_say_what_they_allow(tmp_path: Path) -> None:
    policy = load(
        tmp_path,
        {
            "principals": {"clerk": {"tokens": [TOKEN.upper()], "grants": [GRANT]}},
            "topics": {"requests.north": {**TOPIC, "modes": ["sync"], "dependencies": ["none", "parents"]}},
            "services": {"process": ["User:p"], "monitor": ["User:m"], "readers": ["User:r"]},
            "control": {
                "resync.control": {"writers": ["User:cli"], "districts": "all", "objects": "all"},
                "control.north": {"writers": [], "districts": ["NORTH"], "objects": ["Person"], "rights": ["release"]},
            },
        },
    )
    clerk = policy.principals["clerk"]
    [grant] = clerk.grants
    assert grant.scope == Scope(frozenset({"NORTH"}), None)
    assert grant.sides == {Side.DISTRICT}
    assert grant.rights == {Right.SEE, Right.SYNC}
    assert clerk.token_hashes == (TOKEN,)
    topic = policy.topics["requests.north"]
    assert (topic.name, topic.writers) == ("requests.north", ("User:sis",))
    assert topic.permit.scope == Scope(None, frozenset({"Person"}))
    assert topic.permit.modes == {Mode.SYNC}
    assert topic.permit.dependencies == {Dependencies.NONE, Dependencies.PARENTS}
    assert policy.services == Services(process=("User:p",), monitor=("User:m",), readers=("User:r",))
    assert policy.control["resync.control"].scope == Scope(None, None)
    assert policy.control["resync.control"].writers == ("User:cli",)
    assert policy.control["resync.control"].rights == {ControlRight.CLEAR, ControlRight.CANCEL}
    assert policy.control["control.north"].rights == {ControlRight.RELEASE}
    assert policy.control["control.north"].scope == Scope(frozenset({"NORTH"}), frozenset({"Person"}))


def test_what_a_topic_does_not_say_is_not_allowed(tmp_path: Path) -> None:
    permit = load(tmp_path, {"topics": {"t": TOPIC}}).topics["t"].permit
    assert permit.modes == {Mode.SYNC, Mode.VERIFY}
    assert permit.dependencies == {Dependencies.NONE}
    assert (permit.delete, permit.batch) == (False, False)


@pytest.mark.parametrize(
    ("rights", "told"),
    [
        (["D"], ["D means nothing without R"]),
        (["W"], ["W means nothing without R"]),
        (["R", "force"], ["force means nothing without W"]),
        (["R", "delete", "batch"], ["batch means nothing without W, delete means nothing without W"]),
        (["see-values"], ["see-values means nothing without R"]),
        (["release"], ["release means nothing without R"]),
    ],
)
def test_a_right_that_needs_another_one(tmp_path: Path, rights: list[str], told: list[str]) -> None:
    found = problems(tmp_path, {"principals": {"clerk": {"grants": [GRANT, {**GRANT, "rights": rights}]}}})
    assert found == [f"principals.clerk.grants.1.rights: {each}" for each in told]


MISTAKEN: dict[str, Any] = {
    "principals": {
        "a": {"tokens": ["S3CR3T"], "grants": [{**GRANT, "rights": ["X"], "sides": ["NORTH"]}]},
        "b": {"grants": []},
        "c": {"token": TOKEN, "grants": [{**GRANT, "districts": [1], "objects": "Person"}]},
        "-d": {"grants": [{**GRANT, "districts": ["NORHT", "NORTH", "EAST"], "objects": ["Pupil"], "rights": ["D"]}]},
    },
    "topics": {
        "t": {**TOPIC, "writers": ["sis"], "modes": [], "delete": "perhaps"},
        "u": {"writers": []},
        "resync.chunks": TOPIC,
        "no topic": {**TOPIC, "districts": ["EAST"]},
    },
    "control": {
        "resync.control": {"writers": ["cli"], "districts": ["EAST"], "objects": "all", "sides": ["STATE"]},
        "resync.chunks": {"writers": [], "districts": "all", "objects": []},
    },
    "service": {},
}
PLACES = {
    "principals.a.tokens.0": "is not the SHA-256 of a token",
    "principals.a.grants.0.sides.0": "'DISTRICT' or 'STATE'",
    "principals.a.grants.0.rights.0": "'R', 'W', 'D', 'batch'",
    "principals.b.grants": "at least 1 item",
    "principals.c.grants.0.districts": "is `all` or a list of names (numbers and yes/no in quotes)",
    "principals.c.grants.0.objects": "is `all` or a list of names",
    "principals.c.token": "Extra inputs",
    "principals.-d.[key]": "beginning with a letter or digit",
    "principals.-d.grants.0.districts": "the catalog has no EAST, NORHT",
    "principals.-d.grants.0.objects": "the catalog has no Pupil",
    "principals.-d.grants.0.rights": "D means nothing without R",
    "topics.t.writers.0": "is not a principal of Kafka",
    "topics.t.modes": "at least 1 item",
    "topics.t.delete": "valid boolean",
    "topics.u.sides": "required",
    "topics.u.districts": "required",
    "topics.u.objects": "required",
    "topics.resync.chunks.[key]": "is a topic of the service itself",
    "topics.no topic.[key]": "is not a name of a topic",
    "topics.no topic.districts": "the catalog has no EAST",
    "control.resync.control.writers.0": "is not a principal of Kafka",
    "control.resync.control.districts": "the catalog has no EAST",
    "control.resync.control.sides": "Extra inputs",
    "control.resync.chunks.[key]": "is a topic of the service itself",
    "control.resync.chunks": "is a request topic too",
    "control.resync.chunks.objects": "is `all` or a list of names",
    "service": "Extra inputs",
}


def test_all_mistakes_are_told_at_once_and_no_token_with_them(tmp_path: Path) -> None:
    found = dict(text.split(": ", 1) for text in problems(tmp_path, MISTAKEN))
    assert {place: PLACES.get(place, "") in told for place, told in found.items()} == dict.fromkeys(PLACES, True)
    assert "S3CR3T" not in str(found)


def test_a_token_belongs_to_one_principal(tmp_path: Path) -> None:
    one = {"tokens": [TOKEN], "grants": [GRANT]}
    assert problems(tmp_path, {"principals": {"a": one, "b": one}}) == ["principals.b.tokens.0: is a token of a too"]


def test_mistakes_between_entries_are_told_with_those_within_them(tmp_path: Path) -> None:
    one = {"tokens": [TOKEN], "grants": [GRANT]}
    control = {"writers": [], "districts": "all", "objects": "all"}
    other = {"tokens": [TOKEN.upper(), 7], "grants": [{**GRANT, "districts": ["EAST", 7], "rights": ["X", "D"]}]}
    people = {"a": one, "b": other}
    found = problems(tmp_path, {"principals": people, "topics": {"t": TOPIC}, "control": {"t": control}})
    names = "is `all` or a list of names (numbers and yes/no in quotes); the catalog has no EAST"
    assert [text for text in found if "rights.0" not in text and "tokens.1" not in text] == [
        f"principals.b.grants.0.districts: Value error, {names}",
        "principals.b.tokens.0: is a token of a too",
        "principals.b.grants.0.rights: D means nothing without R",
        "control.t: is a request topic too",
    ]
    assert len(found) == 6


def test_every_name_that_stands_twice_is_told_and_mistakes_beside_them(tmp_path: Path) -> None:
    text = "topics: {}\ntopics: {}\nservices:\n  store: []\n  store: [sis]\n"
    assert problems(tmp_path, text) == [
        "a name stands twice: line 2, column 1",
        "a name stands twice: line 5, column 3",
        "services.store.0: Value error, is not a principal of Kafka, such as User:north-sis",
    ]


def test_a_topic_has_one_use(tmp_path: Path) -> None:
    control = {"writers": [], "districts": "all", "objects": "all"}
    assert problems(tmp_path, {"topics": {"t": TOPIC}, "control": {"t": control}}) == [
        "control.t: is a request topic too"
    ]


def test_without_a_catalog_districts_and_objects_are_taken_as_they_are(tmp_path: Path) -> None:
    """A command that lists history does without one."""
    elsewhere = {**GRANT, "districts": ["EAST"]}
    policy = load_policy(written(tmp_path, {"principals": {"a": {"grants": [elsewhere]}}}))
    assert policy.principals["a"].grants[0].scope.has_district("EAST")


@pytest.mark.parametrize("token", ["", "a token", TOKEN[:-1], sha256(b"").hexdigest()])
def test_a_token_s_hash_is_a_hash_of_something(tmp_path: Path, token: str) -> None:
    [found] = problems(tmp_path, {"principals": {"a": {"tokens": [token], "grants": [GRANT]}}})
    assert found.startswith("principals.a.tokens.0: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("topics: [", "is not YAML: line 1, column 10"),
        ("topics: {}\ntopics: {}\n", "a name stands twice: line 2, column 1"),
        ("services:\n  store: []\n  store: []\n", "a name stands twice: line 3, column 3"),
        ("", "the whole: Input should be a valid dictionary or instance of _PolicyEntry"),
    ],
)
def test_what_is_not_a_policy(tmp_path: Path, text: str, told: str) -> None:
    assert problems(tmp_path, text) == [told]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"none\.yaml: cannot be read: No such file or directory"):
        load_policy(tmp_path / "none.yaml")


def test_the_demo_s_policy_fits_its_catalog_and_its_tokens_are_those_it_names() -> None:
    from processor.bootstrap.parts import open_catalog, open_policy

    settings = Settings(
        policy=REPO / "demo" / "policy.yaml", catalog=REPO / "demo" / "catalog.yaml", schemas=REPO / "schemas"
    )
    policy = open_policy(settings, open_catalog(settings))
    assert policy is not None
    assert settings.topics.requests in policy.topics
    for name in policy.principals:
        found = identify(policy, f"demo-token-of-the-{name}")
        assert found is not None
        assert found.name == name
