"""What /metrics says after a known work: of each kind of thing one, counted once."""

import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from processor.core.partition import partition_of
from stack.layout import Stack
from tests.awaiting import await_
from tests.e2e.conftest import READ_SETTINGS
from tests.e2e.deployment import PARTITIONS, ROLES, Deployment
from tests.e2e.people import persons, rename
from tests.e2e.servers import stopped
from tests.tools.ports import free_port

HOUR_S = 3600
ALLOWED: dict[str, Any] = {
    "districts": ["NORTH", "RIVER"],
    "objects": "all",
    "sides": ["DISTRICT", "STATE"],
    "writers": [],
}
COUNTED = {
    'requests_total{result="ACCEPTED"}': 3,
    'requests_total{result="REJECTED"}': 2,
    'requests_total{result="REPEATED"}': 1,
    'repeated_records_total{lane="requests"}': 1,
    'rejected_requests_total{reason="NOT_AUTHORIZED"}': 1,
    'rejected_requests_total{reason="UNKNOWN_OBJECT"}': 1,
    'not_authorized_requests_total{ground="district"}': 1,
    'misrouted_records_total{lane="requests"}': 1,
    'dead_letters_total{reason="UNDECODABLE"}': 1,
    'key_outcomes_total{status="SENT"}': 1,
    'key_outcomes_total{status="APPLIED"}': 1,
    'key_outcomes_total{status="IN_SYNC"}': 3,
    'key_outcomes_total{status="DEFERRED"}': 1,
    'deferred_keys_total{reason="SNAPSHOT_UNAVAILABLE"}': 1,
    'corrections_total{operation="update"}': 1,
    "request_wait_seconds_count": 1,
    "request_to_outcome_seconds_count": 4,
}
"""Of the processor: every counter that grew, but for those of rounds and reads, whose number depends on time."""
BY_TIME = ("retries_total", "transactions_total", "snapshot_", "commit_")


def test_each_thing_is_counted_once_by_what_it_is(deploy: Callable[..., Deployment], stack: Stack) -> None:
    deployment = deploy(settings=READ_SETTINGS)
    use_policy(deployment)
    ports = {role: free_port() for role in ROLES}
    for role, port in ports.items():
        deployment.start(role, http_port=port, http_host="127.0.0.1")
    requests, home = deployment.topics.requests, partition_of("NORTH", PARTITIONS)
    corrected, equal, moved, away = deployment.take_keys(4)
    for district in ("NORTH", "RIVER"):
        persons(deployment, district, [corrected, equal, moved, away])
    rename(deployment, "NORTH", [corrected])

    asked_at = datetime.now(UTC) - timedelta(seconds=HOUR_S)
    first = deployment.request("NORTH", "PersonIdentity", [corrected, equal], requested_at=asked_at)
    misrouted = deployment.request("NORTH", "PersonIdentity", [moved])
    asked = deployment.publish(first)
    deployment.watcher.until_ended(asked)
    deployment.publish(first)
    asked.append(misrouted.request_id)
    deployment.put(requests, deployment.encoded(misrouted), b"NORTH", (home + 1) % PARTITIONS)
    deployment.put(requests, b"not a record", b"NORTH", home)
    asked.append(deployment.submit("LAKE", "PersonIdentity", [equal]))
    asked.append(deployment.submit("NORTH", "Ghost", [equal]))
    deployment.disconnect()
    with stopped(stack, "postgres-RIVER"):
        late = deployment.submit("RIVER", "PersonIdentity", [away])
        deployment.watcher.until(lambda: deployment.watcher.story(late).outcomes, "the deferral")
    deployment.watcher.until_ended([*asked, late], 60)

    def grown() -> dict[str, float]:
        """Without the series whose numbers are times."""
        found = series(ports["process"], "counter", "histogram")
        return {name: n for name, n in found.items() if n and not name.startswith(BY_TIME) and "_sum" not in name}

    await_(lambda: grown() == COUNTED, f"the counts (now {grown()})")
    for port in ports.values():
        assert_lives(port)
    assert_ages_and_reads(ports["process"])
    assert_applied(ports["apply"])
    assert_stored(ports["store"], deployment)
    assert len({config(port) for port in ports.values()}) == 1
    assert "none" not in config(ports["process"])


def assert_lives(port: int) -> None:
    found = series(port, "gauge")
    assert (found["ready"], found["assigned_partitions"]) == (1, PARTITIONS)
    assert found["poll_age_seconds"] < HOUR_S
    assert found.get("state_up", 1) == 1
    client = {"kafka_rebalances", "kafka_timeouts", "kafka_fetched_messages"}
    await_(lambda: client <= series(port, "gauge").keys(), "what the client says of itself every 10 s", 30)


def assert_ages_and_reads(port: int) -> None:
    found = series(port, "counter", "histogram", "gauge")
    assert HOUR_S <= found["request_wait_seconds_sum"] < HOUR_S + 60
    assert 2 * HOUR_S <= found["request_to_outcome_seconds_sum"] < 2 * HOUR_S + 120, "an answered key's, too"
    assert found['retries_total{cause="REQUEST"}'] >= 1
    assert found['snapshot_read_seconds_count{side="district"}'] >= 3
    assert found['snapshot_read_seconds_count{side="state"}'] >= 3
    assert found['snapshot_failures_total{side="district"}'] >= 1
    assert found['transactions_total{result="committed"}'] == found["commit_seconds_count"] >= 5
    assert found['district_up{district="NORTH"}'] == 1
    for lane in ("requests", "answers", "retry", "chunks"):
        assert found[f'lag_records{{lane="{lane}"}}'] == found[f'lag_seconds{{lane="{lane}"}}'] == 0, lane


def assert_applied(port: int) -> None:
    found = series(port, "counter", "histogram", "gauge")
    assert found['answers_total{result="APPLIED"}'] == found["apply_seconds_count"] == 1
    assert found['transactions_total{result="committed"}'] == 1
    assert found['lag_records{lane="corrections"}'] == 0


def assert_stored(port: int, deployment: Deployment) -> None:
    await_(lambda: series(port, "counter")["store_ends_total"] == 5, "the ends")
    await_(lambda: series(port, "gauge")["store_lag_records"] == 0, "the end of the topic")
    found = series(port, "counter", "histogram", "gauge")
    [ended] = deployment.rows("history", "select count(*) from history.requests where state <> 'ACCEPTED'")
    assert ended == (5,)
    assert found['store_batches_total{result="stored"}'] == found["store_batch_seconds_count"] >= 2
    statuses, outcomes, ends = 5, 6, 5
    written = statuses + outcomes + ends
    await_(lambda: series(port, "counter")["store_records_total"] == written, "the ends' own records")
    for name in ("faults", "skipped_records", "shared_request_ids", "overdue_corrections"):
        assert found[f"store_{name}_total"] == 0, name
    assert found["store_lag_seconds"] < HOUR_S
    for (_, partition), end in deployment.ends([deployment.topics.history]).items():
        assert found[f'store_applied_offset{{partition="{partition}"}}'] == end, partition


def config(port: int) -> tuple[str, str]:
    """Fingerprints of catalog and policy, as a process exports them."""
    [name] = [name for name in series(port, "gauge") if name.startswith("config_info")]
    labels = dict(pair.split("=") for pair in name.partition("{")[2].rstrip("}").replace('"', "").split(","))
    return labels["catalog"], labels["policy"]


def use_policy(deployment: Deployment) -> None:
    """Before the roles start."""
    file = Path(deployment.directory / "policy.yaml")
    policy: Mapping[str, Any] = {"principals": {}, "topics": {deployment.topics.requests: ALLOWED}}
    file.write_text(yaml.safe_dump(policy), encoding="utf-8")
    deployment.env["RESYNC_POLICY"] = str(file)


def series(port: int, *kinds: str) -> dict[str, float]:
    """Of the kinds, without buckets and prefix."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    found, kind = {}, ""
    for line in lines:
        if line.startswith("# TYPE "):
            kind = line.rpartition(" ")[2]
        elif line.startswith("resync_") and kind in kinds and "_bucket" not in line:
            name, _, value = line.rpartition(" ")
            found[name.removeprefix("resync_")] = float(value)
    return found
