"""What a node of a cluster does with a pod, as far as the process in it can tell: files of its volumes, variables."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stack.roles import console_script
from tests.tools.chart import Document, Rendered, container

ETC = "/etc/resync"
Objects = Mapping[str, Mapping[str, str]]
"""Data of ConfigMaps or Secrets by name."""


class Node:
    """Runs a chart's pods as processes of this machine: `/etc/resync` becomes a folder, nothing else changes."""

    def __init__(self, rendered: Rendered, secrets: Objects, folder: Path) -> None:
        self._rendered, self._secrets, self._folder = rendered, secrets, folder
        self._config_maps = {each["metadata"]["name"]: each["data"] for each in rendered.of("ConfigMap")}

    def environment(self, role: str, ordinal: int = 0) -> dict[str, str]:
        """All that the pod says, and nothing of this process's own; its files are written."""
        pod = self._rendered.pod(role)
        etc = self._folder / role
        for path, text in self._files(pod):
            file = etc / Path(path).relative_to(ETC)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        there = container(pod)
        found: dict[str, str] = {}
        for source in there.get("envFrom", ()):
            found |= self._secrets[source["secretRef"]["name"]]
        for each in there["env"]:
            found[each["name"]] = str(ordinal) if "valueFrom" in each else each["value"].replace(ETC, str(etc))
        return found | {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}

    def start(self, role: str, **more: str) -> "subprocess.Popen[bytes]":
        command = [console_script(), *container(self._rendered.pod(role))["args"]]
        environ = self.environment(role) | more
        with (self._folder / f"{role}.log").open("ab") as log:
            return subprocess.Popen(command, env=environ, cwd="/", stdout=log, stderr=subprocess.STDOUT)

    def log(self, role: str) -> str:
        return (self._folder / f"{role}.log").read_text()

    def _files(self, pod: Document) -> Iterator[tuple[str, str]]:
        volumes = {volume["name"]: dict(self._volume(volume)) for volume in pod["spec"]["volumes"]}
        for mount in container(pod)["volumeMounts"]:
            held = volumes[mount["name"]]
            if "subPath" in mount:
                yield mount["mountPath"], held[mount["subPath"]]
            else:
                yield from ((f"{mount['mountPath']}/{path}", text) for path, text in held.items())

    def _volume(self, volume: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        sources = volume.get("projected", {}).get("sources", [volume])
        for source in sources:
            if "configMap" in source:
                yield from _chosen(source["configMap"], self._config_maps[source["configMap"]["name"]])
            elif "secret" in source:
                name = source["secret"].get("name") or source["secret"]["secretName"]
                yield from _chosen(source["secret"], self._secrets[name])


def _chosen(source: Mapping[str, Any], data: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    items = source.get("items") or [{"key": key, "path": key} for key in data]
    return ((item["path"], data[item["key"]]) for item in items)
