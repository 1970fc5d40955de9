"""Builds what commands need.

Beside `bootstrap` the only module that names adapters (ADR 0060): importing all of the roles would cost every command
half a second.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from processor.core.catalog import Catalog, Limits
from processor.service.client_ports import NotSetUp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.adapters.kafka.acls import AclAdmin
    from processor.adapters.kafka.history_follow import TopicFollower
    from processor.adapters.kafka.history_scan import ScanReader
    from processor.adapters.kafka.publisher import KafkaControlPublisher, KafkaRequestPublisher
    from processor.adapters.kafka.topics import TopicAdmin
    from processor.adapters.postgres.finder import Finder
    from processor.adapters.postgres.history_filters import Seen
    from processor.adapters.postgres.history_queries import HistoryQueries, PostgresFollower
    from processor.codec import Codec
    from processor.core.policy import Policy
    from processor.core.request import Side
    from processor.service.history_changes import Decode
    from processor.settings import Settings

NO_OBJECTS = Catalog({}, {}, Limits())
"""Requests and history need no catalog to be read or written."""


def open_codec(settings: "Settings") -> "Codec":
    """For everything but corrections."""
    from processor.codec import Codec

    try:
        return Codec.open(settings.schemas, NO_OBJECTS, settings.registry_url, settings.registry_options)
    except ValueError as fault:
        raise NotSetUp(f"RESYNC_SCHEMAS: {fault}") from fault


def open_catalog(settings: "Settings") -> Catalog:
    """Raises CatalogError."""
    from processor.catalog_file import Secrets, load_catalog
    from processor.codec.schema_files import SchemaFiles

    return load_catalog(settings.catalog, SchemaFiles(settings.schemas).object, Secrets.LEFT_OUT)


def open_finder(
    settings: "Settings", catalog: Catalog, district_id: str, side: "Side", timeout_s: float
) -> "closing[Finder]":
    """Raises NotSetUp where the connection string is not whole. Nobody needs those of other districts for it."""
    from processor.adapters.postgres.database import ReaderOptions
    from processor.adapters.postgres.finder import Finder
    from processor.catalog_file import with_secrets
    from processor.core.request import Side

    if side is Side.DISTRICT:
        dsn, missing = with_secrets(catalog.districts[district_id].dsn)
        if missing:
            raise NotSetUp(f"the database of district {district_id}: the environment has no {', '.join(missing)}")
    else:
        dsn = settings.state_dsn
        if not dsn:
            raise NotSetUp("RESYNC_STATE_DSN is not set: it says where the state's database is")
    options = ReaderOptions(settings.application_name("find"), timeout_s, settings.connect_timeout_s)
    return closing(Finder(dsn, side, district_id, options))


def open_policy(settings: "Settings", catalog: Catalog | None = None) -> "Policy | None":
    """None where none is set. Raises PolicyError."""
    if settings.policy is None:
        return None
    from processor.policy_file import load_policy

    return load_policy(settings.policy, catalog, settings.topics.model_dump())


def open_publisher(settings: "Settings", codec: "Codec") -> "KafkaRequestPublisher":
    from processor.adapters.kafka.clients import client_config
    from processor.adapters.kafka.publisher import KafkaRequestPublisher

    return KafkaRequestPublisher(client_config(settings), settings.topics.requests, codec)


def open_control(settings: "Settings", codec: "Codec") -> "KafkaControlPublisher":
    from processor.adapters.kafka.clients import client_config
    from processor.adapters.kafka.publisher import KafkaControlPublisher

    return KafkaControlPublisher(client_config(settings), settings.topics.control, codec)


def open_topics(settings: "Settings") -> "TopicAdmin":
    from processor.adapters.kafka.clients import client_config
    from processor.adapters.kafka.topics import TopicAdmin

    return TopicAdmin(client_config(settings))


def topic_follower(settings: "Settings", request_ids: "Sequence[str]") -> "closing[TopicFollower]":
    from processor.adapters.kafka.clients import client_config
    from processor.adapters.kafka.history_follow import TopicFollower
    from processor.service.history_changes import history_decoder

    decode = history_decoder(open_codec(settings))
    return closing(TopicFollower(client_config(settings), settings.topics.history, request_ids, decode))


def history_scan(settings: "Settings") -> "tuple[ScanReader, Decode]":
    """The history topic read outside any group."""
    from processor.adapters.kafka.clients import client_config
    from processor.adapters.kafka.history_scan import ScanReader
    from processor.service.history_changes import history_decoder

    return ScanReader(client_config(settings), settings.topics.history), history_decoder(open_codec(settings))


def check_history(settings: "Settings") -> None:
    """Raises NotSetUp where no history database is set."""
    if not settings.history_dsn:
        raise NotSetUp("RESYNC_HISTORY_DSN is not set: it says where the history is kept")


def history_queries(settings: "Settings") -> "closing[HistoryQueries]":
    """Raises NotSetUp where no history database is set."""
    check_history(settings)
    from processor.adapters.postgres.history_queries import HistoryQueries

    return closing(HistoryQueries(settings.history_dsn, settings.application_name("cli")))


def open_follower(queries: "HistoryQueries", request_ids: "Sequence[str]", seen: "Seen") -> "PostgresFollower":
    from processor.adapters.postgres.history_queries import PostgresFollower

    return PostgresFollower(queries, request_ids, seen)


def open_acls(settings: "Settings") -> "AclAdmin":
    from processor.adapters.kafka.acls import AclAdmin
    from processor.adapters.kafka.clients import client_config

    return AclAdmin(client_config(settings))


def register_schemas(
    settings: "Settings", more_requests: "Sequence[str]" = (), more_control: "Sequence[str]" = ()
) -> tuple[str, ...]:
    """The subjects that the registry now holds; none without a registry. Corrections are those of the catalog."""
    from processor.codec import Codec
    from processor.codec.subjects import register_all

    codec = Codec.open(settings.schemas, open_catalog(settings), settings.registry_url, settings.registry_options)
    return register_all(codec, settings.topics, more_requests, more_control)


def migrate_history(settings: "Settings") -> int:
    """How many migrations ran."""
    from processor.adapters.postgres.history_connection import LIVE_SCHEMA, connect
    from processor.adapters.postgres.history_schema import migrate

    with connect(settings.history_dsn, settings.application_name("migrate"), LIVE_SCHEMA) as connection:
        return migrate(connection)
