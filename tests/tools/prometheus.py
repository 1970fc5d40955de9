"""A Prometheus of a test's own: it scrapes the roles of a deployment and evaluates the alerts."""

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import yaml

from tests.awaiting import await_
from tests.tools.ports import free_port

SCRAPE_S = 5


class Prometheus:
    """Started on creation. `targets`: job to port."""

    def __init__(self, program: str, directory: Path, targets: Mapping[str, int], rules: str) -> None:
        (directory / "alerts.yaml").write_text(rules, encoding="utf-8")
        config = {
            "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yaml"],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
                for job, port in targets.items()
            ],
        }
        (directory / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        self._log = directory / "prometheus.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={directory / 'prometheus.yaml'}",
                    f"--storage.tsdb.path={directory / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )
        await_(self._is_ready, "Prometheus")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def value(self, query: str) -> float | None:
        """Of the first series; None where there is none."""
        found = self._get("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else None

    def firing(self) -> dict[str, list[dict[str, str]]]:
        """Labels of what fires, by alert."""
        found: dict[str, list[dict[str, str]]] = {}
        for alert in self._get("alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
        return found

    def until_firing(self, name: str, timeout_s: float = 60.0) -> float:
        started = monotonic()
        await_(lambda: name in self.firing(), f"{name} (firing: {list(self.firing())})", timeout_s)
        return monotonic() - started

    def _get(self, what: str, **parameters: str) -> Any:
        url = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (our own address)
            return json.load(answer)["data"]

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            urllib.request.urlopen(f"{self._url}/-/ready", timeout=5).close()  # noqa: S310 (our own address)
        except OSError:
            return False
        return True
