"""The chart's values: refused where they cannot work, documented, and parts that can be switched off."""

import json
from typing import Any

import pytest
import yaml

from tests.tools.chart import CHART, NotRendered, render


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
