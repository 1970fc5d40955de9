"""The chart: three examples against the schemas of Kubernetes, and what works together with other programs."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor import metrics
from stack.layout import REPO
from tests.tools.chart import CHART, EXAMPLES, NAME, ORDINAL_ROLES, Rendered, render
from tests.tools.conftest import Tool

KUBERNETES = ("1.28", "1.34", "1.37")
"""Lowest and highest that the chart is checked for, and the one it is made for."""
CUSTOM = {"ServiceMonitor", "PrometheusRule", "ScaledObject"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_helm_finds_nothing_to_complain_of(helm: str, name: str) -> None:
    values = CHART / "values" / f"{name}.yaml"
    command = [helm, "lint", "--strict", str(CHART), "--values", str(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_fits_the_schemas_of_kubernetes(
    tool: Tool, example: Rendered, version: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    known = [document for document in example.documents if document["kind"] not in CUSTOM]
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(known))
    done = subprocess.run(
        [tool("kubernetes-validate"), "--strict", "-k", version, file], capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("passed for resource") == len(known), f"some were left out:\n{said}"
    record_property(f"objects valid in Kubernetes {version}", len(known))


def test_a_misspelt_field_would_be_seen(tool: Tool, small: Rendered, tmp_path: Path) -> None:
    role = small.role("process")
    role["spec"]["template"]["spec"]["enableServiceLink"] = role["spec"]["template"]["spec"].pop("enableServiceLinks")
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump(role))
    command = [tool("kubernetes-validate"), "--strict", "-k", "1.34", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "enableServiceLink" in done.stdout + done.stderr


def test_custom_resources_fit_the_schemas_of_their_operators(
    helm: str, tool: Tool, node_modules: Path, record_property: Callable[[str, object], None]
) -> None:
    resources = [each for each in render(helm, "state-wide").documents if each["kind"] in CUSTOM]
    assert {each["kind"] for each in resources} == CUSTOM
    broken = json.loads(json.dumps(resources[-1]))
    broken["spec"] = "nothing"
    said = _validate(tool("node"), node_modules, [*resources, broken])
    assert all(line.endswith(" ok") for line in said[:-1]), said
    assert not said[-1].endswith(" ok"), "a broken resource would not be seen"
    record_property("custom resources valid", len(resources))


def _validate(node: str, node_modules: Path, resources: list[dict[str, Any]]) -> list[str]:
    script = Path(__file__).with_name("custom_resources.cjs")
    done = subprocess.run(
        [node, script, node_modules], input=json.dumps(resources), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_alerts_and_the_autoscaler_find_the_series_that_they_ask_for(secured: Rendered, helm: str) -> None:
    """A target's label `role` would push away the series' own."""
    [endpoint] = secured.of("ServiceMonitor")[0]["spec"]["endpoints"]
    assert "relabelings" not in endpoint
    [hpa] = render(helm, "small", {"store": {"autoscaling": {"kind": "hpa"}}}).of("HorizontalPodAutoscaler")
    [asked] = [metric["external"]["metric"] for metric in hpa["spec"]["metrics"]]
    [declared] = [each for each in metrics.ALL.all if each.name == asked["name"]]
    assert asked["selector"]["matchLabels"]["role"] in declared.labels["role"]


def test_roles_reach_what_they_need_and_nothing_else(secured: Rendered) -> None:
    for role in (*ORDINAL_ROLES, "monitor", "setup"):
        policy = secured.one("NetworkPolicy", f"{NAME}-{role}")["spec"]
        assert policy["podSelector"]["matchLabels"].items() <= secured.pod(role)["metadata"]["labels"].items()
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        egress = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
        assert egress == ({53, 9093} if role == "monitor" else {53, 9093, 8443, 5432}), role
        assert all("to" in rule for rule in policy["egress"] if rule["ports"][0]["port"] != 53)
        ingress = [port["port"] for rule in policy["ingress"] for port in rule["ports"]]
        assert ingress == ([] if role == "setup" else ["http"])


def test_selectors_choose_one_role_s_pods(example: Rendered) -> None:
    labels = {role: pod["metadata"]["labels"] for role, pod in example.pods()}
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy", "StatefulSet", "Deployment"):
        for document in example.of(kind):
            spec = document["spec"]
            given = spec.get("podSelector") or spec["selector"]
            selector = given.get("matchLabels", given)
            chosen = [role for role, own in labels.items() if selector.items() <= own.items()]
            assert chosen == [document["metadata"]["labels"]["app.kubernetes.io/component"]], kind


def test_prometheus_finds_every_role_by_its_service(secured: Rendered) -> None:
    [monitor] = secured.of("ServiceMonitor")
    selector = monitor["spec"]["selector"]["matchLabels"]
    [endpoint] = monitor["spec"]["endpoints"]
    chosen = [
        each["metadata"]["name"]
        for each in secured.of("Service")
        if selector.items() <= each["metadata"]["labels"].items()
        and endpoint["port"] in {port["name"] for port in each["spec"]["ports"]}
    ]
    assert chosen == [f"{NAME}-{role}" for role in (*ORDINAL_ROLES, "monitor")]


def test_the_chart_carries_the_project_s_alerts(secured: Rendered) -> None:
    assert (CHART / "files" / "alerts.yaml").read_text() == (REPO / "ops" / "alerts.yaml").read_text(), (
        "the chart's alerts are a copy: make chart-alerts"
    )
    [rule] = secured.of("PrometheusRule")
    assert rule["spec"] == yaml.safe_load((REPO / "ops" / "alerts.yaml").read_text())
    assert rule["spec"]["groups"]


@pytest.mark.parametrize("kind", ["none", "hpa", "keda"])
def test_a_role_has_one_autoscaler_or_none(helm: str, kind: str) -> None:
    rendered = render(helm, "secured", {"process": {"autoscaling": {"kind": kind, "maxReplicas": 24}}})
    scalers = [*rendered.of("HorizontalPodAutoscaler"), *rendered.of("ScaledObject")]
    role = rendered.role("process")
    assert len(scalers) == (kind != "none")
    assert ("replicas" in role["spec"]) == (kind == "none"), "an autoscaler's number must not be set back on upgrade"
    for scaler in scalers:
        target = scaler["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) == ("StatefulSet", role["metadata"]["name"])
        assert scaler["spec"].get("maxReplicas", scaler["spec"].get("maxReplicaCount")) == 24


def test_autoscalers_ask_for_the_lag_of_the_role_s_group(helm: str) -> None:
    keda = render(helm, "state-wide").of("ScaledObject")
    triggers = {each["metadata"]["name"]: each["spec"]["triggers"][0]["metadata"] for each in keda}
    assert {name: trigger["consumerGroup"] for name, trigger in triggers.items()} == {
        f"{NAME}-process": "state-wide-process",
        f"{NAME}-apply": "state-wide-apply",
    }
    assert all(isinstance(value, str) for trigger in triggers.values() for value in trigger.values())
    [hpa] = render(helm, "small", {"apply": {"autoscaling": {"kind": "hpa"}}}).of("HorizontalPodAutoscaler")
    [metric] = hpa["spec"]["metrics"]
    assert metric["external"]["metric"]["selector"]["matchLabels"] == {"role": "apply"}


def test_notes_name_what_is_there(helm: str, tmp_path: Path) -> None:
    """`helm template` leaves notes out, so they are rendered as a ConfigMap of a copy of the chart."""
    copy = tmp_path / CHART.name
    shutil.copytree(CHART, copy)
    notes = copy / "templates" / "NOTES.txt"
    (copy / "templates" / "_notes.tpl").write_text(f'{{{{ define "notes" }}}}{notes.read_text()}{{{{ end }}}}')
    (copy / "templates" / "notes.yaml").write_text(
        '{kind: Notes, metadata: {name: it}, text: {{ include "notes" . | toJson }}}'
    )
    text = render(helm, "small", chart=copy).one("Notes", "it")["text"]
    for role in ORDINAL_ROLES:
        assert f"statefulset/{NAME}-{role}" in text
    assert "No policy is given" in text
    assert "No policy is given" not in render(helm, "state-wide", chart=copy).one("Notes", "it")["text"]
