"""What a contender is told and needs, without services."""

from pathlib import Path

import pytest

from bench.peers.contenders import PLAIN_JAVA
from bench.peers.task import fields, jdbc
from stack.errors import StackError
from stack.layout import REPO


@pytest.mark.parametrize(
    ("dsn", "url"),
    [
        (
            "postgresql://postgres@127.0.0.1:22001/north",
            "jdbc:postgresql://127.0.0.1:22001/north?user=postgres",
        ),
        (
            "host=db port=5433 dbname=n user=u password='p&w'",
            "jdbc:postgresql://db:5433/n?user=u&password=p%26w",
        ),
        ("postgresql:///n?user=u", "jdbc:postgresql://localhost:5432/n?user=u"),
    ],
)
def test_a_connection_is_spelled_for_java(dsn: str, url: str) -> None:
    assert jdbc(dsn) == url


def test_fields_are_named_as_in_the_correction_s_schema() -> None:
    told = fields(REPO / "schemas", ["income_ratio", "last_name"])
    assert told == [
        {"name": "familyIncomeRatio", "column": "income_ratio"},
        {"name": "lastName", "column": "last_name"},
    ]


def test_what_cannot_be_downloaded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_CACHE", str(tmp_path))
    monkeypatch.setenv("RESYNC_MAVEN_REPO", (tmp_path / "nothing").as_uri())
    with pytest.raises(StackError, match=r"could not download [a-z.]+:[a-z0-9-]+:[0-9.]+"):
        PLAIN_JAVA.prepare()
