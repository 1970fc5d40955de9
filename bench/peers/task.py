"""What a contender is told: where everything is, schemas with the numbers that a registry gave them, what to compare.

Made from the orders that `bench` writes for whoever works on a backlog.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import urlopen

from psycopg.conninfo import conninfo_to_dict

from bench.world import HERE, RunFailed
from processor.catalog_file import Secrets, load_catalog
from processor.codec.schema_files import SchemaFiles
from processor.codec.schema_text import NAMESPACE

OBJECT = "PersonIdentity"
RECORDS = {
    "request": ("requests", "ResyncRequest"),
    "status": ("history", "RequestStatus"),
    "outcome": ("history", "KeyOutcome"),
    "correction": ("corrections", f"{OBJECT}Correction"),
}
"""By what a contender calls a record: its topic and its name."""
CALL_S = 30.0


def write(orders: Path) -> Path:
    """Beside the orders; returns where. Raises RunFailed."""
    task = orders.with_suffix(".task.json")
    task.write_text(json.dumps(task_of(json.loads(orders.read_text(encoding="utf-8")))), encoding="utf-8")
    return task


def task_of(orders: Mapping[str, Any]) -> Mapping[str, Any]:
    topics: Mapping[str, str] = orders["topics"]
    return {
        **{name: orders[name] for name in ("bootstrap", "group", "transactional_id", "transaction_keys")},
        "topics": {name: topics[name] for name in ("requests", "corrections", "history")},
        "schemas": {
            name: _registered(orders["registry"], f"{topics[topic]}-{NAMESPACE}.{record}")
            for name, (topic, record) in RECORDS.items()
        },
        "districts": [{**each, "table": _for_java_too(each["table"])} for each in orders["districts"]],
        "state": _for_java_too(orders["state"]),
        "digest": orders["digest"],
        "fields": fields(Path(orders["schemas"]), orders["columns"]),
    }


def _for_java_too(table: Mapping[str, str]) -> Mapping[str, str]:
    return {**table, "jdbc": jdbc(table["dsn"])}


def jdbc(dsn: str) -> str:
    """The same place as Java's driver writes it."""
    parts: dict[str, Any] = dict(conninfo_to_dict(dsn))
    host, port, database = parts.pop("host", "localhost"), parts.pop("port", 5432), parts.pop("dbname", "")
    return f"jdbc:postgresql://{host}:{port}/{quote(database)}?{urlencode(parts)}"


def _registered(registry: str, subject: str) -> Mapping[str, Any]:
    """The newest schema of a subject, and its number."""
    url = f"{registry.rstrip('/')}/subjects/{quote(subject)}/versions/latest"
    try:
        with urlopen(url, timeout=CALL_S) as response:  # noqa: S310  (the stack's own)
            found = json.load(response)
    except (OSError, ValueError) as fault:
        raise RunFailed(f"the schema of {subject} could not be had from {url}: {fault}") from fault
    return {"id": found["id"], "text": found["schema"]}


def fields(schemas: Path, columns: list[str]) -> list[Mapping[str, str]]:
    """The names that the correction's schema has for the columns."""
    kind = load_catalog(HERE / "catalog.yaml", SchemaFiles(schemas).object, Secrets.LEFT_OUT).objects[OBJECT]
    names = {field.district_column: field.name for field in kind.compared}
    return [{"name": names[column], "column": column} for column in columns]
