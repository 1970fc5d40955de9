"""Renders the chart as `helm template` does, and finds things in what comes out."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from stack.layout import REPO

CHART = REPO / "helm" / "selective-sync"
RELEASE = "sync"
NAME = "sync-selective-sync"
ORDINAL_ROLES = ("process", "apply", "store")
EXAMPLES = ("small", "secured", "state-wide")

OPTIONS: dict[str, Any] = {
    **{role: {"autoscaling": {"kind": "hpa"}} for role in ORDINAL_ROLES},
    "schemas": {"objects": {"Bus.avsc": "{}"}, "archive": {"0123456789abcdef.avsc": "{}"}},
    "image": {"digest": f"sha256:{'0' * 64}"},
    "imagePullSecrets": [{"name": "registry"}],
    "settings": {"batch_max_keys": 100},
    "extraEnv": [{"name": "RESYNC_WATCH_S", "valueFrom": {"configMapKeyRef": {"name": "more", "key": "watch"}}}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more", "readOnly": True}],
    "networkPolicy": {"extraEgress": [{"ports": [{"protocol": "TCP", "port": 8443}], "to": [{"podSelector": {}}]}]},
    "commonLabels": {"team": "sync"},
    "podLabels": {"tier": "back"},
    "podAnnotations": {"note": "it"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "batch", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
    "priorityClassName": "high",
}
"""Laid over the example `secured`: what no example uses."""

Document = dict[str, Any]


class _Once(yaml.SafeLoader):
    """Refuses a name that stands twice in a mapping, of which YAML's own loader takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        names = [name.value for name, _ in node.value]
        assert len(names) == len(set(names)), f"a name stands twice: {names}"
        return super().construct_mapping(node, deep)


class NotRendered(Exception):
    """What helm said."""


@dataclass(frozen=True)
class Rendered:
    text: str

    @cached_property
    def documents(self) -> list[Document]:
        return [document for document in yaml.load_all(self.text, _Once) if document]

    def of(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document["kind"] == kind]

    def one(self, kind: str, name: str) -> Document:
        [found] = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def role(self, role: str) -> Document:
        return self.one("Deployment" if role == "monitor" else "StatefulSet", f"{NAME}-{role}")

    def pods(self) -> Iterator[tuple[str, Document]]:
        """Templates of pods, by role; the hook's and the test's too."""
        for document in self.documents:
            if document["kind"] in ("StatefulSet", "Deployment", "Job"):
                pod = document["spec"]["template"]
            elif document["kind"] == "Pod":
                pod = document
            else:
                continue
            yield pod["metadata"]["labels"]["app.kubernetes.io/component"], pod

    def pod(self, role: str) -> Document:
        [found] = [pod for name, pod in self.pods() if name == role]
        return found


def environment(pod: Document) -> dict[str, Any]:
    """Variables with their value, or with where it comes from."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container(pod)["env"]}


def container(pod: Document) -> Document:
    [found] = pod["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def render(
    helm: str, example: str | None, values: Mapping[str, Any] | None = None, *more: str, chart: Path = CHART
) -> Rendered:
    """`values` are laid over the example's. Raises NotRendered with what helm said."""
    command = [helm, "template", RELEASE, str(chart), "--namespace", "resync", "--kube-version", "1.34.0", *more]
    if example is not None:
        command += ["--values", str(CHART / "values" / f"{example}.yaml")]
    done = subprocess.run(
        [*command, "--values", "-"], input=json.dumps(values or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotRendered(done.stderr)
    return Rendered(done.stdout)
