"""Judges the roles' consumer groups: do processes run, do they keep up, is what they will read next still there."""

from collections.abc import Iterator, Mapping

from processor.service.doctor.facts import Group, Kafka, Place
from processor.service.doctor.findings import Check, Finding, error, warning

SLOW_S = 300.0


def judge_groups(kafka: Kafka, retention_s: Mapping[str, float]) -> Iterator[Finding]:
    """`retention_s` by topic, those kept for ever left out."""
    for group in kafka.groups:
        yield from _offsets(kafka, group)
        yield from _members(group)
        yield from _lag(group, retention_s)


def _offsets(kafka: Kafka, group: Group) -> Iterator[Finding]:
    for place in group.places:
        if place.committed is None or place.low <= place.committed <= place.high:
            continue
        where = f"{place.topic}-{place.partition}"
        if place.committed > place.high:
            what = f"{group.name} stands at {place.committed}, the log ends at {place.high}: the topic was made anew"
            advice = "find out why; then have the group begin at the start of what there is, while no role runs"
        else:
            what = f"{group.name} stands at {place.committed}, the log begins at {place.low}: records went unread"
            advice = (
                "find out what the lost records asked for, and ask again; then, while no role runs, have the group"
                " begin at the oldest that is left"
            )
        yield error(Check.GROUPS, where, what, advice, _mend(kafka, group, place))


def _mend(kafka: Kafka, group: Group, place: Place) -> str:
    if group.role == "store":
        return "resync replay"
    return (
        f"kafka-consumer-groups.sh --bootstrap-server {kafka.servers} --group {group.name}"
        f" --topic {place.topic}:{place.partition} --reset-offsets --to-earliest --execute"
    )


def _members(group: Group) -> Iterator[Finding]:
    if not group.members:
        waiting = f", and {group.lag} records wait for it" if group.lag else ""
        yield warning(
            Check.GROUPS, group.name, f"no process of the role {group.role} runs{waiting}", "start one", _role(group)
        )


def _role(group: Group) -> str | None:
    return f"resync {group.role}" if group.name.endswith(f"-{group.role}") else None


def _lag(group: Group, retention_s: Mapping[str, float]) -> Iterator[Finding]:
    if group.oldest_s is None:
        return
    kept_s = min((retention_s[p.topic] for p in group.places if p.topic in retention_s), default=None)
    if kept_s is not None and group.oldest_s > kept_s / 2:
        yield error(
            Check.GROUPS,
            group.name,
            f"its oldest unread record is {group.oldest_s:.0f} s old, and records go after {kept_s:.0f} s",
            "see docs/runbooks/ResyncCorrectionsNearRetention.md: keep records for longer first, then find out what"
            f" stops the role {group.role}",
        )
    elif group.members and group.oldest_s > SLOW_S:
        yield warning(
            Check.GROUPS,
            group.name,
            f"{group.lag} records wait, the oldest for {group.oldest_s:.0f} s",
            f"see docs/runbooks/ResyncGroupLagSeconds.md: look at the log of the role {group.role}",
        )
