"""Texts that a foreign publisher may have written: none of them stops the store, or shuts others out."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from processor.core.history import Clear, Status
from processor.core.request import Filter
from tests.integration.store.clearing import SEEN, ended_store, wish
from tests.integration.store.records import applied_request, outcome, request_status
from tests.integration.store.waiting import run
from tests.integration.store.world import World

TEXTS = {"nul": "a\0b", "long": "x" * 10_000, "wide": "\U0001f600" * 10_000, "escape": "\x1b[2J\x07\r\n"}
FIELDS = ("requested_by", "reason", "school_year", "run_id", "district_id", "object")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_request_s_texts(world: World, text: str) -> None:
    store = world.store()
    odd_id, odd = applied_request(1)
    good_id, good = applied_request(1)
    status = request_status(odd_id, 1)
    texts: dict[str, Any] = dict.fromkeys(FIELDS, text)
    asked = replace(status.request, selection=Filter(text), **texts)
    told = replace(outcome(odd_id, "7", Status.FAILED), detail=text, asked_as=text, changed_fields=(text,))
    world.produce(replace(status, request=asked, detail=text), told, *odd[1:], *good)
    world.catch_up(store)
    assert dict(world.rows("select request_id, state from history.requests")).keys() == {odd_id, good_id}
    assert world.verify().divergences == 0


def test_bytes_that_are_no_unicode(world: World) -> None:
    """Half of a surrogate pair as UTF-8, which some languages' encoders let through."""
    store = world.store()
    odd_id, _ = applied_request(1)
    good_id, good = applied_request(1)
    status = request_status(odd_id, 1)
    value = world.codec.encode(world.history, replace(status, request=replace(status.request, requested_by="\u00a7x")))
    broken = value.replace("\u00a7x".encode(), "\ud800".encode("utf-8", "surrogatepass"))
    assert broken != value
    world.put(odd_id.encode(), broken, world.partition(odd_id))
    world.produce(*good)
    world.catch_up(store)
    assert store.counts.records_skipped == 1
    assert world.rows("select request_id from history.requests") == [(good_id,)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_wish_s_texts(world: World, text: str) -> None:
    request_id, records = applied_request(3)
    store = ended_store(world, [(request_id, records)])
    world.wish(Clear(text, "somebody", datetime.now(UTC), SEEN, "request"))
    world.wish(replace(wish(request_id, text), scope=text))
    world.catch_up(store)

    def cleared() -> list[tuple[str, int]]:
        return world.rows("select request_id, length(cleared_by) from history.clearings")

    run(store, lambda: bool(cleared()))
    assert cleared() == [(request_id, min(len(text), 255))]
    assert store.counts.unavailable == 0
