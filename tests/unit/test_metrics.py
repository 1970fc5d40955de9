"""Names, labels and series of the metrics, and the page that is written from them."""

import re

import pytest
from prometheus_client import generate_latest

from processor import metrics
from processor.http.metrics_page import PAGE, metrics_page
from processor.metric_kinds import Declared, Live, Series
from processor.service.records import Lane
from processor.settings import Topics

IDS = {"key", "request_id", "request", "correction_id", "chunk", "person", "requested_by", "trace"}
FREE = {"version", "catalog", "policy", "settings", "district", "partition"}
"""Labels whose values the code does not list."""


@pytest.mark.parametrize("declared", metrics.ALL.all, ids=lambda d: str(d.name))
def test_a_metric_is_named_and_labelled_by_the_rules(declared: Declared) -> None:
    assert re.fullmatch(r"resync(_[a-z]+)+", declared.name)
    assert declared.name.endswith("_total") == (declared.kind == "counter")
    assert declared.kind != "histogram" or declared.name.endswith("_seconds")
    assert declared.meaning.endswith(".")
    assert set(declared.roles) <= set(metrics.ROLES)
    assert not IDS & set(declared.labels)
    assert {label for label, values in declared.labels.items() if isinstance(values, str)} <= FREE


def test_labels_are_the_words_of_the_code() -> None:
    assert tuple(lane.name.lower() for lane in Lane) == metrics.LANES
    assert set(metrics.TOPICS) <= set(Topics.model_fields)


def test_what_never_happened_is_there_as_zero() -> None:
    text = generate_latest(metrics.ALL.registry(metrics.APPLY)).decode()
    assert 'resync_transaction_aborts_total{reason="unknown"} 0.0' in text
    assert 'resync_answers_total{result="PARENT_MISSING"}' in text


def test_a_role_exports_what_is_its_own() -> None:
    text = {role: generate_latest(metrics.ALL.registry(role)).decode() for role in metrics.ROLES}
    assert [role for role in metrics.ROLES if "resync_key_outcomes_total" in text[role]] == ["process"]
    assert [role for role in metrics.ROLES if "resync_commit_seconds" in text[role]] == ["process", "apply"]
    assert all("process_resident_memory_bytes" in each for each in text.values())
    assert not any("_created" in each for each in text.values())


def test_a_live_gauge_shows_what_is_so_when_it_is_asked() -> None:
    gauge = Live("a", "b.", ["c"])
    numbers: Series = {("x",): 1.0}
    gauge.shows(lambda: numbers)
    (family,) = gauge.collect()
    assert [(s.labels, s.value) for s in family.samples] == [({"c": "x"}, 1.0)]
    gauge.is_number(lambda: None)
    (family,) = gauge.collect()
    assert family.samples == []


def test_the_page_is_fresh_and_names_every_metric() -> None:
    page = metrics_page()
    assert PAGE.read_text(encoding="utf-8") == page
    assert all(f"| `{declared.name}` |" in page for declared in metrics.ALL.all)
