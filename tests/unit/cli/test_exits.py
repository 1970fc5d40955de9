from importlib import import_module

import psycopg
import pytest
from confluent_kafka import KafkaError, KafkaException

from processor.cli.exits import BY_FAULT, ExitCode, ending_of
from processor.codec.errors import RegistryUnavailable
from processor.settings import SettingsError


@pytest.mark.parametrize("name", BY_FAULT)
def test_every_named_fault_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(import_module(module), kind), Exception)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (SettingsError("RESYNC_ORDINAL: wrong"), ExitCode.USAGE),
        (RegistryUnavailable("the registry gave no answer"), ExitCode.UNREACHABLE),
        (psycopg.errors.ConnectionTimeout("timeout"), ExitCode.UNREACHABLE),
        (psycopg.errors.InsufficientPrivilege("permission denied"), ExitCode.USAGE),
        (psycopg.errors.UndefinedColumn("no such column"), ExitCode.USAGE),
        (KafkaException(KafkaError(KafkaError.BROKER_NOT_AVAILABLE)), ExitCode.UNREACHABLE),
        (KeyError("last name"), ExitCode.FAILED),
    ],
)
def test_a_fault_has_its_exit_code(fault: Exception, code: ExitCode) -> None:
    assert ending_of(fault).code is code


def test_the_words_of_an_unknown_fault_are_not_shown() -> None:
    """They may hold a field's value."""
    for fault in (ValueError("Garcia"), psycopg.errors.OperationalError("Key (name)=(Garcia) exists")):
        assert "Garcia" not in ending_of(fault).text
