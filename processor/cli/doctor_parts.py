"""What `resync doctor` looks at, and by what: names adapters, as `parts` does (ADR 0060)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from processor.adapters.kafka.clients import client_config
from processor.adapters.kafka.doctor import look_at_kafka
from processor.adapters.kafka.group_lag import watched_groups
from processor.adapters.kafka.topics import topic_specs
from processor.adapters.postgres.database import ReaderOptions
from processor.adapters.postgres.doctor import Asked, look_at_history, look_at_side, look_at_state
from processor.catalog_file import with_secrets
from processor.cli import parts
from processor.cli.exits import ending_of
from processor.codec import Codec
from processor.codec.subjects import subjects
from processor.core.catalog import Catalog
from processor.core.policy import control_topics, request_topics
from processor.service.doctor.examine import examine
from processor.service.doctor.facts import Subject
from processor.service.doctor.findings import Away
from processor.service.doctor.judge import Expected, Seen
from processor.service.doctor.topics import Needs
from processor.service.doctor.wanted import district_tables, state_tables, zones
from processor.settings import Settings

Look: TypeAlias = Callable[[], Any]

_DISTRICT = "districts."
"""Before a district's id, which may be the name of another part."""


@dataclass(frozen=True, slots=True)
class Doctor:
    """`looks` by the name of the part; `seen` holds those for which no address is set."""

    expected: Expected
    looks: Mapping[str, Look]
    seen: Seen

    def examine(self, timeout_s: float, tell: Callable[[int, int], None]) -> Seen:
        """`tell` is called with how many parts are done, and how many there are."""
        seen, total = self.seen, len(self.looks)
        tell(0, total)
        results = examine(self.looks, lambda fault: ending_of(fault).text, timeout_s)
        for done, (name, facts) in enumerate(results, start=1):
            if name.startswith(_DISTRICT):
                seen = replace(seen, districts={**seen.districts, name.removeprefix(_DISTRICT): facts})
            else:
                seen = replace(seen, **dict[str, Any]({name: facts}))
            tell(done, total)
        order = self.expected.catalog.districts
        return replace(seen, districts={name: seen.districts[name] for name in order})


def open_doctor(settings: Settings) -> Doctor:
    """Raises SettingsError, CatalogError, PolicyError: nothing can be judged without them."""
    catalog = parts.open_catalog(settings)
    policy = parts.open_policy(settings, catalog)
    requests = request_topics(policy, settings.topics.requests)
    controls = control_topics(policy, settings.topics.control)
    specs = topic_specs(settings, requests, controls)
    options = ReaderOptions(
        settings.application_name("doctor"), settings.statement_timeout_s, settings.connect_timeout_s
    )
    has_own_applier = settings.applier_group is None

    names = [spec.name for spec in specs]
    looks: dict[str, Look] = {
        "kafka": partial(look_at_kafka, client_config(settings), names, watched_groups(settings, requests))
    }
    if settings.registry_url:
        looks["registry"] = lambda: list(_subjects(settings, catalog, requests, controls))
    seen = Seen()
    if settings.state_dsn:
        wanted = [table.name for table in state_tables(catalog, is_written=has_own_applier)]
        asked = Asked(settings.state_dsn, "RESYNC_STATE_DSN", wanted, zones(catalog))
        looks["state"] = partial(look_at_state, asked, options, own_applier=has_own_applier)
    else:
        seen = replace(seen, state=Away("RESYNC_STATE_DSN is not set", is_set=False))
    if settings.history_dsn:
        looks["history"] = partial(look_at_history, Asked(settings.history_dsn, "RESYNC_HISTORY_DSN"), options)
    else:
        seen = replace(seen, history=Away("RESYNC_HISTORY_DSN is not set", is_set=False))
    wanted, districts = [table.name for table in district_tables(catalog)], dict[str, Away]()
    for name, district in catalog.districts.items():
        dsn, missing = with_secrets(district.dsn)
        if missing:
            districts[name] = Away(f"the environment has no {missing[0]}", is_set=False)
        else:
            asked = Asked(dsn, f"{_DISTRICT}{name}.dsn", wanted, zones(catalog))
            looks[f"{_DISTRICT}{name}"] = partial(look_at_side, asked, options)
    expected = Expected(catalog, specs, _needs(settings, catalog, requests, controls), has_own_applier)
    return Doctor(expected, looks, replace(seen, districts=districts))


def _needs(settings: Settings, catalog: Catalog, requests: list[str], controls: list[str]) -> Needs:
    topics, limits = settings.topics, catalog.limits
    answer = limits.answer_deadline_s, "limits.answer_deadline_s"
    snapshot = limits.snapshot_deadline_s, "limits.snapshot_deadline_s"
    return Needs(
        least_s={
            **dict.fromkeys((*requests, topics.chunks, topics.retry), snapshot),
            **dict.fromkeys((topics.corrections, topics.answers), answer),
            topics.accepted: (settings.accepted_window_s, "RESYNC_ACCEPTED_WINDOW_S"),
        },
        history=topics.history,
        tombstones=(topics.history, *controls),
        dead_letters=topics.dead_letters,
        transaction_timeout_s=settings.transaction_timeout_s,
        session_timeout_s=settings.session_timeout_s,
    )


def _subjects(settings: Settings, catalog: Catalog, requests: list[str], controls: list[str]) -> Iterator[Subject]:
    codec = Codec.open(settings.schemas, catalog, settings.registry_url, settings.registry_options)
    for topic, record, rule in subjects(settings.topics, requests, controls):
        for found in codec.registered(topic, record):
            yield Subject(found.subject, rule.value, found.holds_ours, found.rule, found.later)
