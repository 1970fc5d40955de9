from pathlib import Path

import pytest
from typer.main import get_command

from processor.cli.exits import UsageError
from processor.cli.main import app
from processor.policy_file import PolicyError
from stack.layout import REPO


@pytest.fixture(autouse=True)
def _catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESYNC_CATALOG", str(REPO / "demo" / "catalog.yaml"))
    monkeypatch.delenv("RESYNC_POLICY", raising=False)


def check(*arguments: str) -> None:
    get_command(app)(["policy", "check", *arguments], standalone_mode=False)


def test_the_file_that_is_given_is_checked_and_not_the_one_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = REPO / "demo" / "policy.yaml"
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("principals: 7\n")
    monkeypatch.setenv("RESYNC_POLICY", str(wrong))
    check(str(policy))
    assert "principals," in capsys.readouterr().out
    monkeypatch.setenv("RESYNC_POLICY", str(policy))
    with pytest.raises(PolicyError, match=str(wrong)):
        check(str(wrong))


def test_without_a_file_that_of_the_settings_is_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="no policy: give its file, or set RESYNC_POLICY"):
        check()
    monkeypatch.setenv("RESYNC_POLICY", str(REPO / "demo" / "policy.yaml"))
    check()
    assert "principals," in capsys.readouterr().out
