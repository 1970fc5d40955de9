"""Builds the monitor."""

from processor import metrics
from processor.adapters.kafka.broker import ANSWER_S
from processor.adapters.kafka.clients import client_config
from processor.adapters.kafka.group_lag import GroupLags, watched_groups
from processor.adapters.kafka.history_heads import TopicHeads
from processor.adapters.kafka.topics import TopicAdmin, check_topics, topic_specs
from processor.bootstrap.parts import open_policy
from processor.core.policy import request_topics
from processor.exposition import show_monitor
from processor.http.serving import serve
from processor.lifecycle import Lifecycle
from processor.service.client_ports import Unreachable
from processor.service.monitor import Monitor
from processor.settings import Settings


def run_monitor(settings: Settings) -> None:
    """The monitor, until it is told to stop. It joins no group and needs no database."""
    life = Lifecycle(settings.ready_file, ("broker", "history"))
    serve(settings, metrics.MONITOR, life)
    topics, options = settings.topics, client_config(settings)
    requests = request_topics(open_policy(settings), topics.requests)
    specs = topic_specs(settings, requests)
    life.when_available(lambda: check_topics(options, specs), Unreachable)
    counts = life.when_available(lambda: TopicAdmin(options).partition_counts(), Unreachable)
    heads = TopicHeads(options, topics.history, counts[topics.history])
    groups = GroupLags(options, watched_groups(settings, requests), counts, topics.dead_letters)
    monitor = Monitor(heads, groups, settings.monitor_s)
    show_monitor(monitor, life, patience_s=6 * settings.monitor_s + ANSWER_S)
    life.ready()
    try:
        while not life.stopping():
            monitor.step()
    finally:
        heads.close()
        groups.close()
