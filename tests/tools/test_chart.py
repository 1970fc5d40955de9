"""The chart: three examples against the schemas of Kubernetes, what is in them, and values that must be refused."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor import metrics
from processor.catalog_file import Secrets, load_catalog
from processor.cli.main import COMMANDS
from processor.codec.schema_files import SchemaFiles
from processor.policy_file import load_policy
from processor.settings import Settings, Topics
from stack.layout import REPO
from tests.tools.chart import (
    CHART,
    EXAMPLES,
    NAME,
    OPTIONS,
    ORDINAL_ROLES,
    NotRendered,
    Rendered,
    container,
    environment,
    render,
)
from tests.tools.conftest import Tool

KUBERNETES = ("1.28", "1.34", "1.37")
"""Lowest and highest that the chart is checked for, and the one it is made for."""
CUSTOM = {"ServiceMonitor", "PrometheusRule", "ScaledObject"}
DEMO = REPO / "demo"


@pytest.fixture(scope="session")
def helm(tool: Tool) -> str:
    return tool("helm")


@pytest.fixture(scope="session", params=[*EXAMPLES, "with all options"])
def example(request: pytest.FixtureRequest, helm: str) -> Rendered:
    return render(helm, request.param) if request.param in EXAMPLES else render(helm, "secured", OPTIONS)


@pytest.fixture(scope="session")
def small(helm: str) -> Rendered:
    return render(helm, "small")


@pytest.fixture(scope="session")
def secured(helm: str) -> Rendered:
    return render(helm, "secured")


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


def test_every_variable_is_a_setting(example: Rendered) -> None:
    fields = {f"RESYNC_{name.upper()}" for name in Settings.model_fields if name != "topics"}
    topics = {f"RESYNC_TOPIC_{name.upper()}" for name in Topics.model_fields}
    known = fields | {f"{name}_FILE" for name in fields} | topics
    for role, pod in example.pods():
        assert environment(pod).keys() <= known, role


def test_the_settings_that_the_chart_lets_through_are_those_that_it_does_not_set_itself(helm: str) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    let_through = set(schema["settings"]["properties"])
    everything = {"schemas": {"objects": {"A.avsc": "{}"}}, "policy": {"text": "{}"}}
    rendered = render(helm, "secured", everything)
    own = {
        name.removeprefix("RESYNC_").removesuffix("_FILE").lower()
        for _, pod in rendered.pods()
        for name in environment(pod)
    }
    for_tests_and_people = {"crash_at", "ready_file", "token"}
    assert let_through == Settings.model_fields.keys() - own - {"topics"} - for_tests_and_people
    assert schema["kafka"]["properties"]["topics"]["properties"].keys() == Topics.model_fields.keys()


def test_settings_and_topics_reach_every_pod(helm: str) -> None:
    rendered = render(
        helm, "small", {"settings": {"session_timeout_s": 12}, "kafka": {"topics": {"dead_letters": "resync.dlq"}}}
    )
    for _, pod in rendered.pods():
        assert environment(pod)["RESYNC_SESSION_TIMEOUT_S"] == "12"
        assert environment(pod)["RESYNC_TOPIC_DEAD_LETTERS"] == "resync.dlq"


@pytest.mark.parametrize("role", ORDINAL_ROLES)
def test_a_pod_s_number_is_the_process_s_identity(secured: Rendered, role: str) -> None:
    there = environment(secured.pod(role))
    assert there["RESYNC_ORDINAL"] == {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}}
    assert there["RESYNC_RELEASE"] == "sync"
    assert secured.role(role)["spec"]["serviceName"] == secured.one("Service", f"{NAME}-{role}")["metadata"]["name"]


def test_each_pod_runs_a_command_that_exists(example: Rendered) -> None:
    roles = dict(example.pods())
    for role, pod in roles.items():
        [command, *_] = container(pod)["args"]
        assert command == {"setup": "topics", "check": "topics"}.get(role, role)
        assert command in COMMANDS
    assert container(roles["setup"])["args"] == ["topics", "create"]


def test_probes_ask_the_port_on_which_the_role_serves(example: Rendered) -> None:
    for role in (*ORDINAL_ROLES, "monitor"):
        there = container(example.pod(role))
        [port] = there["ports"]
        assert str(port["containerPort"]) == environment(example.pod(role))["RESYNC_HTTP_PORT"]
        probed = {name: there[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert {probe["port"] for probe in probed.values()} == {port["name"]}
        assert [probe["path"] for probe in probed.values()] == ["/livez", "/livez", "/readyz"]
        service = example.one("Service", f"{NAME}-{role}")["spec"]
        assert [each["targetPort"] for each in service["ports"]] == [port["name"]]


def test_no_pod_has_more_rights_than_the_restricted_standard_allows(example: Rendered) -> None:
    for role, pod in example.pods():
        spec, there = pod["spec"], container(pod)
        assert spec["automountServiceAccountToken"] is False, role
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert there["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= there["resources"]["requests"].keys()
        assert "memory" in there["resources"]["limits"]
        # Services of a namespace would set variables, such as RESYNC_PORT for a Service named resync.
        assert spec["enableServiceLinks"] is False


def test_what_is_mounted_is_there_and_what_is_there_is_mounted(example: Rendered) -> None:
    config_maps = {each["metadata"]["name"] for each in example.of("ConfigMap")}
    for role, pod in example.pods():
        mounts = {mount["name"]: mount for mount in container(pod)["volumeMounts"]}
        assert mounts.keys() == {volume["name"] for volume in pod["spec"]["volumes"]}, role
        assert all(mount.get("readOnly") for name, mount in mounts.items() if name != "tmp")
        for volume in pod["spec"]["volumes"]:
            name = volume.get("configMap", {}).get("name", "")
            assert name in config_maps or not name.startswith(NAME), f"{role} mounts {name}, which nobody makes"


def test_a_role_is_given_the_secrets_that_it_needs_and_no_other(secured: Rendered) -> None:
    needed = {
        "process": {"kafka-process", "registry", "state", "districts", "tls"},
        "apply": {"kafka-apply", "registry", "state", "tls"},
        "store": {"kafka-store", "registry", "history", "tls"},
        "monitor": {"kafka-monitor", "tls"},
        "setup": {"kafka-setup", "registry", "history", "tls"},
        "check": {"kafka-setup", "tls"},
    }
    for role, pod in secured.pods():
        text = json.dumps(pod)
        found = set(re.findall(r'"(?:secretName|name)": "selective-sync-([a-z-]+)"', text))
        assert found == needed[role], role
        there = environment(pod)
        paths = {
            f"/etc/resync/secrets/{item['path']}"
            for volume in pod["spec"]["volumes"]
            if volume["name"] == "secrets"
            for source in volume["projected"]["sources"]
            for item in source["secret"]["items"]
        }
        assert {value for name, value in there.items() if name.endswith("_FILE")} == paths


def test_no_value_can_hold_a_secret(helm: str) -> None:
    for options in ({"sasl.password": "hidden"}, {"ssl.key.password": "hidden"}):
        with pytest.raises(NotRendered, match=r"kafka/options"):
            render(helm, "small", {"kafka": {"options": options}})
    with pytest.raises(NotRendered, match=r"registry/options"):
        render(helm, "small", {"registry": {"options": {"basic.auth.user.info": "sync:hidden"}}})
    with pytest.raises(NotRendered, match=r"registry/url"):
        render(helm, "small", {"registry": {"url": "https://sync:hidden@registry.example"}})


@pytest.mark.parametrize("name", ["small", "secured"])
def test_the_catalogs_of_the_examples_can_be_used(
    helm: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = load_catalog(_written(render(helm, name), tmp_path), SchemaFiles().object, Secrets.LEFT_OUT)
    for variable in re.findall(r"\$\{(\w+)\}", "".join(d.dsn for d in catalog.districts.values())):
        monkeypatch.setenv(variable, "host=db")
    load_catalog(tmp_path / "catalog.yaml", SchemaFiles().object, Secrets.NEEDED)


def test_the_policy_of_the_example_fits_its_catalog(secured: Rendered, tmp_path: Path) -> None:
    catalog = load_catalog(_written(secured, tmp_path), SchemaFiles().object, Secrets.LEFT_OUT)
    [text] = {each["data"]["policy.yaml"] for each in secured.of("ConfigMap") if "policy.yaml" in each["data"]}
    (tmp_path / "policy.yaml").write_text(text)
    policy = load_policy(tmp_path / "policy.yaml", catalog)
    assert set(policy.topics) == {"resync.requests"}


def test_alerts_and_the_autoscaler_find_the_series_that_they_ask_for(secured: Rendered, helm: str) -> None:
    """A target's label `role` would push away the series' own."""
    [endpoint] = secured.of("ServiceMonitor")[0]["spec"]["endpoints"]
    assert "relabelings" not in endpoint
    [hpa] = render(helm, "small", {"store": {"autoscaling": {"kind": "hpa"}}}).of("HorizontalPodAutoscaler")
    [asked] = [metric["external"]["metric"] for metric in hpa["spec"]["metrics"]]
    [declared] = [each for each in metrics.ALL.all if each.name == asked["name"]]
    assert asked["selector"]["matchLabels"]["role"] in declared.labels["role"]


def test_the_demo_s_catalog_goes_through_whole(helm: str, tmp_path: Path) -> None:
    files = [f"--set-file=catalog.text={DEMO / 'catalog.yaml'}"]
    files += [
        rf"--set-file=catalog.crosswalks.{name}\.csv={DEMO / 'crosswalks' / name}.csv"
        for name in ("gender", "grade", "race_ethnicity")
    ]
    rendered = render(helm, "small", {"catalog": {"text": ""}}, *files)
    catalog = load_catalog(_written(rendered, tmp_path), SchemaFiles().object, Secrets.LEFT_OUT)
    assert catalog == load_catalog(DEMO / "catalog.yaml", SchemaFiles().object, Secrets.LEFT_OUT)


def _written(rendered: Rendered, folder: Path) -> Path:
    """As the pods see it; the setup's copy must be the same."""
    for kind, place in (("catalog", folder), ("crosswalks", folder / "crosswalks")):
        maps = [each for each in rendered.of("ConfigMap") if each["metadata"]["name"].startswith(f"{NAME}-{kind}")]
        place.mkdir(exist_ok=True)
        for name, text in maps[0]["data"].items() if maps else ():
            (place / name).write_text(text)
        assert all(each["data"] == maps[0]["data"] for each in maps)
    return folder / "catalog.yaml"


def test_a_changed_catalog_restarts_the_roles_that_read_it(helm: str, small: Rendered) -> None:
    changed = render(helm, "small", {"catalog": {"crosswalks": {"gender.csv": "district,state\nF,1\n"}}})
    with_policy = render(helm, "small", {"policy": {"text": "principals: {}"}})

    def restarted(after: Rendered) -> set[str]:
        before = dict(small.pods())
        return {
            role
            for role, pod in after.pods()
            if pod["metadata"]["annotations"] != before[role]["metadata"]["annotations"]
        }

    assert restarted(changed) == {"process", "apply", "store", "setup"}
    assert restarted(with_policy) == {"process", "store", "monitor", "setup"}


def test_setup_needs_nothing_of_what_comes_after_it(secured: Rendered) -> None:
    hooks = [each for each in secured.documents if "pre-install" in _annotations(each).get("helm.sh/hook", "")]
    assert {_annotations(each)["helm.sh/hook"] for each in hooks} == {"pre-install,pre-upgrade"}
    weights = {each["kind"]: int(_annotations(each)["helm.sh/hook-weight"]) for each in hooks}
    assert weights.pop("Job") > max(weights.values())
    made = {each["metadata"]["name"] for each in hooks}
    used = {v["configMap"]["name"] for v in secured.pod("setup")["spec"]["volumes"] if "configMap" in v}
    assert used
    assert used <= made


def _annotations(document: dict[str, Any]) -> dict[str, str]:
    return document["metadata"].get("annotations") or {}


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


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"process": {"replicas": "many"}}, r"process/replicas"),
        ({"process": {"replicas": 7}}, r"process\.replicas is 7, but kafka\.partitions is 6"),
        ({"store": {"replicas": 7}}, r"store\.replicas is 7, but kafka\.historyPartitions is 6"),
        (
            {"process": {"autoscaling": {"kind": "keda", "maxReplicas": 7}}},
            r"process\.autoscaling\.maxReplicas is 7, but kafka\.partitions is 6",
        ),
        ({"apply": {"autoscaling": {"kind": "hpa", "minReplicas": 5, "maxReplicas": 4}}}, r"minReplicas is more than"),
        ({"process": {"autoscaling": {"kind": ["hpa", "keda"]}}}, r"process/autoscaling/kind"),
        ({"process": {"autoscaling": {"hpa": {"enabled": True}, "keda": {"enabled": True}}}}, r"'enabled'"),
        ({"processs": {"replicas": 2}}, r"'processs'"),
        ({"settings": {"sesion_timeout_s": 12}}, r"/settings.*'sesion_timeout_s' not allowed"),
        ({"kafka": {"bootstrapServers": ""}}, r"kafka\.bootstrapServers is needed"),
        ({"kafka": {"bootstrapServers": "kafka"}}, r"kafka/bootstrapServers"),
        ({"catalog": {"text": ""}}, r"a catalog is needed"),
        ({"catalog": {"existingConfigMap": "mine"}}, r"exclude each other"),
        ({"policy": {"text": "a", "existingConfigMap": "b"}}, r"exclude each other"),
        ({"databases": {"state": {"existingSecret": ""}}}, r"databases\.state\.existingSecret is needed"),
        ({"image": {"digest": "latest"}}, r"image/digest"),
        ({"store": {"autoscaling": {"scaleInAfterSeconds": 5}}}, r"scaleInAfterSeconds"),
    ],
)
def test_values_that_cannot_work_are_refused_with_the_reason(helm: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(NotRendered, match=said):
        render(helm, "small", values)


def test_every_mistake_is_told_at_once(helm: str) -> None:
    with pytest.raises(NotRendered) as refused:
        render(helm, None)
    assert str(refused.value).count("\n- ") == 5


def test_an_older_kubernetes_is_refused(helm: str) -> None:
    with pytest.raises(NotRendered, match=r"Kubernetes 1\.28 or later is needed"):
        render(helm, "small", {}, "--kube-version", "1.27.0")


def test_options_that_switch_parts_off_leave_no_trace(helm: str) -> None:
    off = {
        "apply": {"enabled": False},
        "monitor": {"enabled": False},
        "setup": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
    }
    rendered = render(helm, "small", off)
    assert [role for role, _ in rendered.pods()] == ["process", "store", "check"]
    assert {each["kind"] for each in rendered.documents} == {"ConfigMap", "Service", "StatefulSet", "Pod"}


def test_every_value_is_documented_and_known_to_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert values.keys() == schema["properties"].keys() - {"global"}
    readme = (CHART / "README.md").read_text()
    assert not [name for name in values if f"`{name}" not in readme]


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
