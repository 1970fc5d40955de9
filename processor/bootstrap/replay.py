"""Builds `resync replay`, which makes the store's tables anew or verifies them."""

from processor.adapters.kafka.clients import client_config
from processor.adapters.kafka.history_scan import ScanReader
from processor.adapters.postgres.history_rebuild import PostgresSwap, PostgresVerify
from processor.bootstrap.parts import open_catalog, open_codec
from processor.service.history_changes import history_decoder
from processor.service.rebuild import Progress, Reading, Replayed
from processor.service.replay import replay
from processor.service.verify_replay import Verified, verify_replay
from processor.settings import Settings


def run_replay(settings: Settings, progress: Progress) -> Replayed:
    """Rebuilds the store's tables from the topic and swaps them in."""
    with PostgresSwap(settings.history_dsn, settings.application_name("replay")) as tables:
        return replay(_history_reading(settings), tables, progress)


def run_verify_replay(settings: Settings, progress: Progress) -> Verified:
    """Compares the store's tables with what the topic says."""
    with PostgresVerify(settings.history_dsn, settings.application_name("replay")) as tables:
        return verify_replay(_history_reading(settings), tables, progress)


def _history_reading(settings: Settings) -> Reading:
    codec = open_codec(settings, open_catalog(settings))
    return Reading(ScanReader(client_config(settings), settings.topics.history), history_decoder(codec))
