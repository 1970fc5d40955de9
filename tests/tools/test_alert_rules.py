"""ops/alerts.yaml as promtool sees it, and what each alert must have."""

import subprocess
from typing import Any

import pytest
import yaml

from stack.layout import REPO
from tests.tools.conftest import Tool

OPS = REPO / "ops"
RULES: list[dict[str, Any]] = yaml.safe_load((OPS / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
NAMES = (
    "RoleAbsent",
    "OldestOpenRequest",
    "RequestHeld",
    "GroupLagSeconds",
    "DistrictUnreachable",
    "DeadLetters",
    "CorrectionsNearRetention",
)


def promtool(tool: Tool, *arguments: str) -> str:
    done = subprocess.run([tool("promtool"), *arguments], cwd=OPS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_well_formed(tool: Tool) -> None:
    assert f"{len(NAMES)} rules found" in promtool(tool, "check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml")


def test_each_alert_fires_when_it_should_and_not_before(tool: Tool) -> None:
    promtool(tool, "test", "rules", "alerts_test.yaml")


def test_each_alert_has_a_test_for_firing_and_for_silence() -> None:
    tests = yaml.safe_load((OPS / "alerts_test.yaml").read_text(encoding="utf-8"))["tests"]
    asked = [case for test in tests for case in test["alert_rule_test"]]
    for name in (f"Resync{name}" for name in NAMES):
        assert {bool(case["exp_alerts"]) for case in asked if case["alertname"] == name} == {True, False}, name


def test_all_alerts_of_the_list_are_there_and_no_other() -> None:
    assert [rule["alert"] for rule in RULES] == [f"Resync{name}" for name in NAMES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_bad_it_is_what_it_means_and_where_to_look(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
    runbook = (REPO / rule["annotations"]["runbook_url"]).read_text(encoding="utf-8")
    assert runbook.startswith(f"# {rule['alert']}\n")
    assert all(part in runbook for part in ("**Means**", "**Felt**", "## Look", "## Mend"))
