"""What the chart's pods are given: settings, secrets, files, rights, probes."""

import json
import re
from typing import Any

import pytest

from processor.cli.main import COMMANDS
from processor.settings import Settings, Topics, load_settings
from tests.tools.chart import CHART, NAME, ORDINAL_ROLES, Rendered, container, environment, render


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


def test_whole_numbers_reach_the_settings_as_they_are_written(helm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Helm holds each number as a float, of which Go writes 1000000 as 1e+06."""
    properties = json.loads((CHART / "values.schema.json").read_text())["properties"]["settings"]["properties"]
    defaults = {name: Settings.model_fields[name].default for name in properties}
    given = {name: default for name, default in defaults.items() if isinstance(default, int)} | {"accepted_max": 10**9}
    there = environment(render(helm, "small", {"settings": given}).pod("process"))
    for name in given:
        monkeypatch.setenv(f"RESYNC_{name.upper()}", there[f"RESYNC_{name.upper()}"])
    settings = load_settings()
    assert {name: getattr(settings, name) for name in given} == given
    assert max(defaults[name] for name in given) >= 10**6, "none would be written with an exponent"


def test_whole_numbers_elsewhere_are_written_without_an_exponent(helm: str) -> None:
    number = 1_000_650_000
    keda = {"kind": "keda", "maxReplicas": 2, "lagPerReplica": number, "keda": {"metadata": {"activationLag": number}}}
    rendered = render(
        helm,
        "small",
        {
            "process": {"autoscaling": keda},
            "kafka": {"options": {"message.max.bytes": number}},
            "podSecurityContext": {"runAsUser": number},
            "terminationGracePeriodSeconds": number,
            "setup": {"deadlineSeconds": number},
        },
    )
    assert not re.findall(r".*\de\+\d.*", rendered.text)
    of_six_pods, of_four = 2 * 6, 4
    assert rendered.text.count(str(number)) == of_six_pods + of_four + 3


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


def test_a_workbook_of_a_million_keys_fits_beside_the_role(small: Rendered, helm: str) -> None:
    """A pod is evicted when its emptyDir is full; the workbook's parts take 0.83 GB of /tmp."""
    assert {_tmp(pod) for _, pod in small.pods()} == {"2Gi"}
    assert {_tmp(pod) for _, pod in render(helm, "small", {"tmpSizeLimit": "300Mi"}).pods()} == {"300Mi"}


def _tmp(pod: dict[str, Any]) -> str:
    [volume] = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "tmp"]
    limit: str = volume["emptyDir"]["sizeLimit"]
    return limit


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
