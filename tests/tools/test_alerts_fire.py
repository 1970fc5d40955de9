"""Each alert fires in a real Prometheus, for its fault on a real deployment, and none before.

The rules are those of ops/alerts.yaml in which numbers alone are smaller: `for`, the seconds compared with, and the
share of the retention.
"""

import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from stack.layout import REPO, Stack
from tests.awaiting import await_
from tests.e2e.conftest import Deployments
from tests.e2e.databases import Templates
from tests.e2e.deployment import Deployment
from tests.e2e.people import persons, rename
from tests.e2e.servers import stopped
from tests.tools.conftest import Tool
from tests.tools.ports import free_port
from tests.tools.prometheus import Prometheus

pytestmark = pytest.mark.timeout(300)

ROLES = ("process", "apply", "store", "monitor")
AWAY = "RIVER"
SOON_S = 30
"""Within so long a fault is to be seen in the series."""
SHORTER = {"> 1800": "> 8", "> 300": "> 4", " 0.5 *": " 0.01 *"}
RETENTION_MS = 800_000
"""Long enough for no broker that cleans up to take the corrections away; a hundredth of it is soon over."""
Record = Callable[[str, object], None]


def shortened(rules: str) -> str:
    for duration, short in SHORTER.items():
        assert rules.count(duration) == 1, duration
        rules = rules.replace(duration, short)
    return re.sub(r"(?m)^( +for:) \w+$", r"\1 1s", rules)


@dataclass(slots=True)
class World:
    """A deployment whose every role is scraped."""

    deployment: Deployment
    ports: dict[str, int]
    prometheus: Prometheus

    def start(self, role: str) -> None:
        self.deployment.start(role, http_port=self.ports[role], http_host="127.0.0.1")

    def start_missing(self) -> None:
        """What a test that failed has left lying."""
        for role in ROLES:
            if not self.deployment.role(role).is_running():
                self.start(role)

    def until(self, query: str, wanted: float | None, timeout_s: float = SOON_S) -> float:
        started = monotonic()
        await_(lambda: self.prometheus.value(query) == wanted, f"{query} = {wanted}", timeout_s)
        return monotonic() - started

    def until_firing_for(self, roles: Sequence[str]) -> None:
        def absent() -> list[str]:
            return sorted(labels["role"] for labels in self.prometheus.firing().get("ResyncRoleAbsent", ()))

        await_(lambda: absent() == sorted(roles), f"ResyncRoleAbsent for {roles} alone", 60)

    def until_silent(self, name: str) -> None:
        await_(lambda: name not in self.prometheus.firing(), f"silence of {name}", 60)


@pytest.fixture
def world(whole_world: World) -> World:
    whole_world.start_missing()
    return whole_world


@pytest.fixture(scope="module")
def whole_world(
    tool: Tool, stack_settings: dict[str, str], templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    program = tool("prometheus")
    own = Deployments(stack_settings, templates, tmp_path_factory)
    deployment = own.make()
    ports = {role: free_port() for role in ROLES}
    for role in ROLES:
        deployment.start(role, ready=False, http_port=ports[role], http_host="127.0.0.1")
    for role in ROLES:
        deployment.role(role).await_ready()
    rules = shortened((REPO / "ops" / "alerts.yaml").read_text(encoding="utf-8"))
    prometheus = Prometheus(program, tmp_path_factory.mktemp("prometheus"), ports, rules)
    yield World(deployment, ports, prometheus)
    prometheus.close()
    own.close()


def test_all_is_well_and_nothing_fires(world: World) -> None:
    """All of a request's way, with a correction, under the shortened rules."""
    running = world.deployment
    keys = list(running.take_keys(5))
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys)
    world.until("sum(up)", len(ROLES))
    world.until("sum(resync_district_up)", 3)
    running.watcher.until_ended([running.submit("NORTH", "PersonIdentity", keys)])
    world.until('resync_corrections_total{operation="update"}', 5)
    world.until('resync_answers_total{result="APPLIED"}', 5)
    world.until('resync_key_outcomes_total{status="APPLIED"}', 5)
    world.until("resync_open_requests", 0)
    world.until("sum(resync_ready)", len(ROLES))
    assert world.prometheus.firing() == {}


@pytest.mark.parametrize("role", ROLES)
def test_live_endpoints_pass_promtool(world: World, tool: Tool, role: str, record_property: Record) -> None:
    times, text = [], b""
    for _ in range(20):
        started = monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{world.ports[role]}/metrics", timeout=5) as answer:
            text = answer.read()
        times.append(monotonic() - started)
    done = subprocess.run([tool("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert b"# TYPE resync_build_info gauge" in text
    record_property("scrape_median_ms", round(sorted(times)[10] * 1000, 1))
    record_property("scrape_longest_ms", round(max(times) * 1000, 1))
    record_property("bytes", len(text))


def test_dead_letters(world: World) -> None:
    """The process has counted it before it is scraped for the first time."""
    world.until("resync_dead_letters_end_offset", 0)
    world.deployment.role("process").kill()
    world.deployment.put(world.deployment.topics.requests, b"not a record", b"NORTH", 0)
    world.deployment.flush()
    world.start("process")
    world.prometheus.until_firing("ResyncDeadLetters")
    assert len(world.prometheus.firing()["ResyncDeadLetters"]) == 1
    world.until('resync_dead_letters_total{reason="UNDECODABLE",job="process"}', 1)


def test_a_stopped_district(world: World, stack: Stack, record_property: Record) -> None:
    """Nobody asks for its keys meanwhile."""
    world.deployment.disconnect()
    with stopped(stack, f"postgres-{AWAY}"):
        record_property("series_s", round(world.until(f'resync_district_up{{district="{AWAY}"}}', 0), 1))
        world.prometheus.until_firing("ResyncDistrictUnreachable")
        found = world.prometheus.firing()
        assert [labels["district"] for labels in found["ResyncDistrictUnreachable"]] == [AWAY]
        assert "ResyncRoleAbsent" not in found
        world.until('resync_ready{job="process"}', 1)
    world.until(f'resync_district_up{{district="{AWAY}"}}', 1, 60)
    world.until_silent("ResyncDistrictUnreachable")


def test_killed_roles(world: World, record_property: Record) -> None:
    """All three at once, and each is told of by itself."""
    killed = [role for role in ROLES if role != "monitor"]
    for role in killed:
        world.until(f'count(resync_build_info{{role="{role}"}})', 1)
    killed_at = monotonic()
    for role in killed:
        world.deployment.role(role).kill()
    for name, query in (("series_s", 'up{{job="{}"}}'), ("members_s", 'resync_group_members{{role="{}"}}')):
        for role in killed:
            world.until(query.format(role), 0)
        record_property(name, round(monotonic() - killed_at, 1))
    assert monotonic() - killed_at < SOON_S
    world.until_firing_for(killed)
    for role in killed:
        world.start(role)
    world.until_silent("ResyncRoleAbsent")


def test_a_killed_monitor(world: World, record_property: Record) -> None:
    """Prometheus alone sees it."""
    world.until('count(resync_build_info{role="monitor"})', 1)
    world.deployment.role("monitor").kill()
    record_property("series_s", round(world.until('up{job="monitor"}', 0), 1))
    world.until_firing_for(["monitor"])
    world.start("monitor")
    world.until_silent("ResyncRoleAbsent")


def test_corrections_that_nobody_applies(world: World, record_property: Record) -> None:
    """The request stays open, the group falls behind, and the corrections come near to their end."""
    running = world.deployment
    resource = ConfigResource(
        ResourceType.TOPIC,
        running.topics.corrections,
        incremental_configs=[
            ConfigEntry("retention.ms", str(RETENTION_MS), incremental_operation=AlterConfigOpType.SET)
        ],
    )
    for future in running.admin.incremental_alter_configs([resource]).values():
        future.result(10)
    keys = list(running.take_keys(3))
    persons(running, "NORTH", keys)
    rename(running, "NORTH", keys)
    running.role("apply").kill()
    asked = [running.submit("NORTH", "PersonIdentity", keys)]
    for name in ("GroupLagSeconds", "OldestOpenRequest", "CorrectionsNearRetention"):
        record_property(name, round(world.prometheus.until_firing(f"Resync{name}"), 1))
    found = world.prometheus.firing()
    assert {(a["role"], a["topic"]) for a in found["ResyncGroupLagSeconds"]} == {("apply", "corrections")}
    world.until('resync_group_lag_records{topic="corrections"} > bool 2', 1)
    world.until("resync_oldest_unanswered_correction_seconds > bool 5", 1)
    world.start("apply")
    running.watcher.until_ended(asked)
    for name in ("GroupLagSeconds", "OldestOpenRequest", "CorrectionsNearRetention", "RoleAbsent"):
        world.until_silent(f"Resync{name}")
