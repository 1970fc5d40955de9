"""Fingerprints: equal for processes of one deployment, different where their configuration is."""

import shutil
from pathlib import Path

import pytest

from processor.http.serving import catalog_fingerprint, policy_fingerprint, settings_fingerprint
from processor.settings import Settings, Topics
from stack.layout import REPO


def settings(**given: object) -> Settings:
    return Settings.model_validate({"catalog": REPO / "demo" / "catalog.yaml", **given})


@pytest.mark.parametrize(
    "own",
    [{"ordinal": 3}, {"http_port": 8080}, {"ready_file": "/ready"}, {"state_dsn": "postgresql://u:secret@h/d"},
     {"kafka_options": {"sasl.password": "secret"}}],
    ids=str,
)  # fmt: skip
def test_what_is_of_one_process_or_secret_does_not_count(own: dict[str, object]) -> None:
    assert settings_fingerprint(settings(**own)) == settings_fingerprint(settings())


@pytest.mark.parametrize(
    "other", [{"release": "blue"}, {"batch_max_keys": 1}, {"topics": Topics(history="other")}], ids=str
)
def test_every_other_setting_counts(other: dict[str, object]) -> None:
    assert settings_fingerprint(settings(**other)) != settings_fingerprint(settings())


def test_a_password_in_the_registry_s_address_does_not_count() -> None:
    prints = {settings_fingerprint(settings(registry_url=f"http://{who}h:81")) for who in ("a:b@", "a:c@", "")}
    assert len(prints) == 1
    assert settings_fingerprint(settings(registry_url="http://h:82")) not in prints


def test_a_catalog_is_what_it_holds_with_its_crosswalks(tmp_path: Path) -> None:
    shutil.copytree(REPO / "demo", tmp_path / "demo", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    copy = settings(catalog=tmp_path / "demo" / "catalog.yaml")
    first = catalog_fingerprint(copy)
    assert first == catalog_fingerprint(settings()) != "unreadable"
    crosswalk = next((tmp_path / "demo").rglob("*.csv"))
    crosswalk.write_text(crosswalk.read_text() + "x,y\n")
    assert catalog_fingerprint(copy) != first
    copy.catalog.write_text("objects: [")
    assert catalog_fingerprint(copy) == "unreadable"


def test_a_policy_is_what_its_file_holds_wherever_it_is(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one.yaml", "same.yaml", "other.yaml"))
    for path, text in ((one, "topics: {}\n"), (same, "topics: {}\n"), (other, "principals: {}\n")):
        path.write_text(text)
    prints = [policy_fingerprint(settings(policy=path)) for path in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]
    assert all(len(each) == 12 for each in prints)
    assert settings_fingerprint(settings(policy=one)) == settings_fingerprint(settings(policy=same))
    assert policy_fingerprint(settings()) == "none"
    assert policy_fingerprint(settings(policy=tmp_path / "none.yaml")) == "unreadable"
