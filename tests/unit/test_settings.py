import os
from pathlib import Path

import pytest

from processor.settings import RESERVED_KAFKA_OPTIONS, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("RESYNC_"):
            monkeypatch.delenv(name)


def test_every_setting_has_a_default() -> None:
    settings = load_settings()
    assert (settings.partitions, settings.history_partitions) == (24, 12)
    assert settings.topics.history == "resync.history"
    assert (settings.kafka_options, settings.registry_url) == ({}, None)


def test_the_environment_says_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("RESYNC_ORDINAL", "3")
    monkeypatch.setenv("RESYNC_RELEASE", "blue")
    monkeypatch.setenv("RESYNC_TOPIC_DEAD_LETTERS", "blue.dead")
    monkeypatch.setenv("RESYNC_KAFKA_OPTIONS", '{"security.protocol": "SSL"}')
    settings = load_settings()
    assert settings.bootstrap_servers == "kafka:9092"
    assert settings.identity("process") == "blue-process-3"
    assert settings.application_name("apply") == "resync/apply/3"
    assert settings.topics.dead_letters == "blue.dead"
    assert settings.kafka_options == {"security.protocol": "SSL"}


def test_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("postgresql://state\n")
    (tmp_path / "options").write_text('{"sasl.password": "hidden"}\n')
    monkeypatch.setenv("RESYNC_STATE_DSN_FILE", str(tmp_path / "dsn"))
    monkeypatch.setenv("RESYNC_KAFKA_OPTIONS_FILE", str(tmp_path / "options"))
    monkeypatch.setenv("RESYNC_READY_FILE", str(tmp_path / "ready"))
    settings = load_settings()
    assert settings.state_dsn == "postgresql://state"
    assert settings.kafka_options == {"sasl.password": "hidden"}
    assert settings.ready_file == tmp_path / "ready", "a setting whose own name ends in _FILE"


@pytest.mark.parametrize("name", ["KAFKA_OPTIONS", "REGISTRY_OPTIONS"])
def test_only_what_is_secret_of_a_client_s_options_need_be_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "options").write_text('{"password": "hidden", "timeout": 9}')
    monkeypatch.setenv(f"RESYNC_{name}", '{"user": "sync", "timeout": 5}')
    monkeypatch.setenv(f"RESYNC_{name}_FILE", str(tmp_path / "options"))
    assert getattr(load_settings(), name.lower()) == {"user": "sync", "password": "hidden", "timeout": 9}


@pytest.mark.parametrize(
    ("given", "in_file", "said"), [("{}", "{", "is not JSON"), ("{", "{}", "is not JSON"), ("{}", "[1]", "dictionary")]
)
def test_options_that_are_no_map_are_refused_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str, in_file: str, said: str
) -> None:
    (tmp_path / "options").write_text(in_file)
    monkeypatch.setenv("RESYNC_REGISTRY_OPTIONS", given)
    monkeypatch.setenv("RESYNC_REGISTRY_OPTIONS_FILE", str(tmp_path / "options"))
    with pytest.raises(SettingsError, match=f"RESYNC_REGISTRY_OPTIONS: .*{said}"):
        load_settings()


def test_the_registry_s_address_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_REGISTRY_OPTIONS", '{"url": "http://elsewhere"}')
    with pytest.raises(SettingsError, match="RESYNC_REGISTRY_URL"):
        load_settings()


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_STATE_DSN", "postgresql://hidden")
    monkeypatch.setenv("RESYNC_HISTORY_DSN", "postgresql://hidden")
    monkeypatch.setenv("RESYNC_KAFKA_OPTIONS", '{"sasl.password": "hidden"}')
    monkeypatch.setenv("RESYNC_REGISTRY_OPTIONS", '{"basic.auth.user.info": "sync:hidden"}')
    assert "hidden" not in repr(load_settings())


def test_a_secret_s_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RESYNC_HISTORY_DSN_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match=r"RESYNC_HISTORY_DSN_FILE: .*none cannot be read: No such file"):
        load_settings()


@pytest.mark.parametrize("option", sorted(RESERVED_KAFKA_OPTIONS))
def test_options_that_correctness_rests_on_are_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setenv("RESYNC_KAFKA_OPTIONS", f'{{"{option}": "x"}}')
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert f"{option} ({RESERVED_KAFKA_OPTIONS[option]})" in str(caught.value)


def test_all_mistakes_are_told_at_once_and_no_value_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_ORDINAL", "-1")
    monkeypatch.setenv("RESYNC_PARTITIONS", "S3CR3T")
    monkeypatch.setenv("RESYNC_RETRY_DELAY_S", "-0.1")
    monkeypatch.setenv("RESYNC_KAFKA_OPTIONS", "S3CR3T{")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    told = str(caught.value)
    for name in ("RESYNC_ORDINAL", "RESYNC_PARTITIONS", "RESYNC_RETRY_DELAY_S", "RESYNC_KAFKA_OPTIONS"):
        assert name in told
    assert "S3CR3T" not in told


def test_each_topic_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_TOPIC_RETRY", "resync.history")
    with pytest.raises(SettingsError, match="RESYNC_TOPIC_RETRY and RESYNC_TOPIC_HISTORY name one topic"):
        load_settings()


@pytest.mark.parametrize("text", ["[]", '"x"', "7"])
def test_kafka_options_are_an_object(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("RESYNC_KAFKA_OPTIONS", text)
    with pytest.raises(SettingsError, match="RESYNC_KAFKA_OPTIONS: Input should be a valid dictionary"):
        load_settings()


def test_settings_that_are_json_by_nature_fail_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_TOPICS", "{")
    with pytest.raises(SettingsError, match="topics"):
        load_settings()
