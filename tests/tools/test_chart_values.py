"""The chart's values: refused where they cannot work, documented, and parts that can be switched off."""

import json
from typing import Any

import pytest
import yaml

from tests.tools.chart import CHART, NotRendered, render
from tests.tools.chart_schema import FILE, with_settings


def test_no_value_can_hold_a_secret(helm: str) -> None:
    for options in ({"sasl.password": "hidden"}, {"ssl.key.password": "hidden"}):
        with pytest.raises(NotRendered, match=r"kafka/options"):
            render(helm, "small", {"kafka": {"options": options}})
    with pytest.raises(NotRendered, match=r"registry/options"):
        render(helm, "small", {"registry": {"options": {"basic.auth.user.info": "sync:hidden"}}})
    with pytest.raises(NotRendered, match=r"registry/url"):
        render(helm, "small", {"registry": {"url": "https://sync:hidden@registry.example"}})


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
        ({"settings": {"session_timeout_s": "abc"}}, r"settings/session_timeout_s"),
        ({"settings": {"session_timeout_s": -1}}, r"settings/session_timeout_s"),
        ({"settings": {"batch_max_keys": True}}, r"settings/batch_max_keys"),
        ({"settings": {"batch_max_keys": 0.5}}, r"settings/batch_max_keys"),
        ({"kafka": {"options": {"group.id": "mine"}}}, r"kafka/options/group\.id"),
        ({"kafka": {"options": {"acks": 1}}}, r"kafka/options/acks"),
        ({"kafka": {"options": {"transactional.id": "mine"}}}, r"kafka/options/transactional\.id"),
        ({"kafka": {"options": {"bootstrap.servers": "k:9092"}}}, r"kafka/options/bootstrap\.servers"),
        ({"registry": {"options": {"url": "http://r:8081"}}}, r"registry/options/url"),
        ({"kafka": {"topics": {"requests": "a", "history": "a"}}}, r"kafka\.topics gives one name to two topics"),
        ({"kafka": {"bootstrapServers": "j:9092,k:99999"}}, r"kafka\.bootstrapServers has the port 99999"),
        ({"registry": {"url": "http://r:99999/api"}}, r"registry\.url has the port 99999"),
        ({"image": {"repository": "k:99999"}}, r"image/repository"),
        ({"image": {"repository": "k/sync:0.1.0"}}, r"image/repository"),
        ({"image": {"tag": "a b"}}, r"image/tag"),
        ({"commonLabels": {"app.kubernetes.io/name": "mine"}}, r"commonLabels/app\.kubernetes\.io~1name"),
        ({"podLabels": {"app.kubernetes.io/component": "mine"}}, r"podLabels/app\.kubernetes\.io~1component"),
        ({"commonLabels": {"team": "a team"}}, r"commonLabels/team"),
        ({"podAnnotations": {"checksum/catalog": "0"}}, r"podAnnotations/checksum~1catalog"),
        (
            {"serviceMonitor": {"interval": "15s", "scrapeTimeout": "1m"}},
            r"serviceMonitor\.scrapeTimeout is 1m, longer than the interval of 15s",
        ),
        ({"process": {"resources": {"limits": {"memory": "lots"}}}}, r"process/resources/limits/memory"),
        ({"podSecurityContext": {"runAsUsr": 7}}, r"podSecurityContext.*'runAsUsr'"),
        ({"containerSecurityContext": {"fsGroup": 7}}, r"containerSecurityContext.*'fsGroup'"),
        ({"affinity": {"nodeAfinity": {}}}, r"affinity.*'nodeAfinity'"),
        ({"tolerations": [{"kee": "batch"}]}, r"tolerations/0.*'kee'"),
        ({"topologySpreadConstraints": [{"labelSelector": {}}]}, r"topologySpreadConstraints/0.*'labelSelector'"),
        ({"extraEnv": [{"name": "RESYNC_STATE_DSN", "value": "password=hidden"}]}, r"extraEnv/0"),
        ({"extraEnv": [{"name": "PGPASSWORD", "value": "hidden"}]}, r"extraEnv/0"),
    ],
)
def test_values_that_cannot_work_are_refused_with_the_reason(helm: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(NotRendered, match=said):
        render(helm, "small", values)


def test_labels_of_two_origins_are_each_there_once(helm: str) -> None:
    values = {
        "commonLabels": {"team": "a", "stage": "live"},
        "podLabels": {"team": "b"},
        "serviceMonitor": {"enabled": True, "labels": {"team": "c"}},
    }
    rendered = render(helm, "small", values)
    assert rendered.pod("process")["metadata"]["labels"].items() >= {"team": "b", "stage": "live"}.items()
    assert rendered.role("process")["metadata"]["labels"]["team"] == "a"
    [monitor] = rendered.of("ServiceMonitor")
    assert monitor["metadata"]["labels"].items() >= {"team": "c", "stage": "live"}.items()


def test_types_of_settings_are_those_of_the_settings_themselves() -> None:
    schema = json.loads(FILE.read_text())
    assert with_settings(schema) == schema, "make chart-schema"


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
