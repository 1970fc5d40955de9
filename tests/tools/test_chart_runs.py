"""The chart's pods as processes on the real stack: what the chart gives them, and nothing else, is enough to work."""

import json
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psycopg
import pytest

from processor.settings import Topics
from stack.layout import REPO
from stack.roles import console_script
from tests.awaiting import await_
from tests.e2e.databases import DISTRICTS, Templates
from tests.tools.chart import Rendered, container, render
from tests.tools.conftest import Tool
from tests.tools.node import Node
from tests.tools.ports import free_port

ROLES = ("process", "apply", "store", "monitor")
DEMO = REPO / "demo"
GRACE_S = 30


@pytest.fixture
def databases(stack_settings: dict[str, str]) -> Iterator[dict[str, str]]:
    templates = Templates.make(stack_settings)
    with templates.copies(f"chart_{uuid.uuid4().hex[:8]}") as dsns:
        yield dsns
    templates.drop()


def rendered_for(helm: str, stack_settings: dict[str, str], name: str) -> Rendered:
    files = [f"--set-file=catalog.text={DEMO / 'catalog.yaml'}"]
    files += [rf"--set-file=catalog.crosswalks.{path.stem}\.csv={path}" for path in (DEMO / "crosswalks").glob("*.csv")]
    values = {
        "identity": name,
        "kafka": {
            "bootstrapServers": stack_settings["RESYNC_BOOTSTRAP_SERVERS"],
            "topics": {topic: f"{name}.{topic}" for topic in Topics.model_fields},
            "options": {"socket.keepalive.enable": True},
            "existingSecret": "selective-sync-kafka",
        },
        "registry": {
            "url": stack_settings["RESYNC_REGISTRY_URL"],
            "options": {"timeout": 9},
            "existingSecret": "selective-sync-registry",
        },
        "catalog": {"text": ""},
        "settings": {"http_host": "127.0.0.1"},
    }
    return render(helm, "small", values, *files)


@pytest.mark.timeout(300)
def test_the_chart_s_pods_do_their_work(
    tool: Tool, stack_settings: dict[str, str], databases: dict[str, str], tmp_path: Path
) -> None:
    name = f"chart-{uuid.uuid4().hex[:8]}"
    rendered = rendered_for(tool("helm"), stack_settings, name)
    secrets = {
        "selective-sync-state": {"dsn": databases["state"]},
        "selective-sync-history": {"dsn": databases["history"]},
        "selective-sync-districts": {f"RESYNC_DISTRICT_DSN_{d}": databases[d] for d in DISTRICTS},
        "selective-sync-kafka": {"options.json": json.dumps({"client.rack": "here"})},
        "selective-sync-registry": {"options.json": json.dumps({"basic.auth.user.info": "sync:secret"})},
    }
    node = Node(rendered, secrets, tmp_path)
    # A pod has an address of its own; here they need ports of their own.
    ports = {role: str(free_port()) for role in ROLES}

    assert node.start("setup").wait(60) == 0, node.log("setup")
    with ExitStack() as running:
        started = {role: node.start(role, RESYNC_HTTP_PORT=ports[role]) for role in ROLES}
        for process in started.values():
            running.callback(end, process)
        for role, process in started.items():
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                path = container(rendered.pod(role))[probe]["httpGet"]["path"]
                until_answered(f"http://127.0.0.1:{ports[role]}{path}", process, partial(node.log, role))
        assert node.start("check").wait(60) == 0, node.log("check")
        with psycopg.connect(databases["NORTH"]) as district:
            district.execute("insert into identity (person_id, last_name, first_name) values (7, 'Last', 'First')")
        submit = ("submit", "--district", "NORTH", "--object", "PersonIdentity", "--wait", "7")
        [request_id] = ask(node, "process", *submit)
        with psycopg.connect(databases["state"]) as state:
            found = state.execute("select district_person_id from state_person where district_id = 'NORTH'").fetchall()
        assert found == [(7,)]
        assert request_id in "".join(ask(node, "store", "history", "--output", "json"))
        for role, process in started.items():
            process.terminate()
            assert process.wait(GRACE_S) == 0, node.log(role)


def ask(node: Node, role: str, *arguments: str) -> list[str]:
    """What a command prints that is run in a role's pod, as by `kubectl exec`."""
    command = [str(console_script()), *arguments]
    done = subprocess.run(
        command, env=node.environment(role), cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def until_answered(address: str, process: "subprocess.Popen[bytes]", log: Callable[[], str]) -> None:
    await_(lambda: answers(address) or process.poll() is not None, f"200 at {address}", 60)
    assert process.poll() is None, log()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 (an address of this test)
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
