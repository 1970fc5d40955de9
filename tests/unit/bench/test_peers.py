"""A peer's answers beside ours."""

from dataclasses import replace

import pytest

from bench.peers.diffing import TUNED, order
from bench.world import HERE, RunFailed
from processor.catalog_file import Secrets, load_catalog
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import ObjectType
from stack.layout import REPO

ENV = {"RESYNC_DISTRICT_DSN_NORTH": "postgresql://ours", "RESYNC_STATE_DSN": "postgresql://theirs"}


def persons() -> ObjectType:
    schemas = SchemaFiles(REPO / "schemas")
    return load_catalog(HERE / "catalog.yaml", schemas.object, Secrets.LEFT_OUT).objects["PersonIdentity"]


def test_a_peer_is_asked_for_the_columns_that_we_compare_of_one_district() -> None:
    asked = order(persons(), ENV, TUNED)
    assert asked["columns"] == [field.district_column for field in persons().compared]
    assert len(asked["columns"]) == 20
    assert asked["sides"][1] == {
        "dsn": "postgresql://theirs",
        "table": "bench_state_person",
        "key": "district_person_id",
        "where": "district_id = 'NORTH'",
    }
    assert (asked["threads"], asked["bisection_threshold"]) == (4, 131_072)


def test_a_peer_takes_one_list_of_columns() -> None:
    kind = persons()
    fields = tuple(replace(field, state_column=f"legal_{field.state_column}") for field in kind.fields)
    with pytest.raises(RunFailed, match="PersonIdentity: columns have other names"):
        order(replace(kind, fields=fields), ENV, TUNED)
