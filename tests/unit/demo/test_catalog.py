"""The demo's hand-written lists, by which the proof judges, say the same as its catalog and schemas."""

from pathlib import Path

import pytest

from demo.columns import COLUMNS
from demo.databases import DISTRICTS
from demo.plants import rows
from demo.proof.truth import CROSSWALKS, DEMO, named_blocks
from demo.tables import STATE_COLUMNS, TABLES, Tables
from processor.catalog_file import Secrets, load_catalog
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog, ObjectType


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(DEMO / "catalog.yaml", SchemaFiles().object, Secrets.LEFT_OUT)


def test_districts(catalog: Catalog) -> None:
    assert tuple(catalog.districts) == DISTRICTS


def test_the_demo_leaves_more_to_delete_than_passes_without_a_release(catalog: Catalog) -> None:
    """docs/guard.md has it tried."""
    assert catalog.limits.hold_deletes <= rows.MAX_DELETES == catalog.limits.max_deletes


def test_tables(catalog: Catalog) -> None:
    assert {name: _tables(o) for name, o in catalog.objects.items()} == TABLES


def _tables(object_type: ObjectType) -> Tables:
    here, there = object_type.district, object_type.state
    return Tables(here.name, here.key_column, there.name, there.key_column)


def test_state_columns(catalog: Catalog) -> None:
    assert {name: {f.name: f.state_column for f in o.owned} for name, o in catalog.objects.items()} == STATE_COLUMNS


def test_crosswalks(catalog: Catalog) -> None:
    found = {
        name: {f.name: f.crosswalk.name for f in o.fields if f.crosswalk is not None}
        for name, o in catalog.objects.items()
    }
    assert {name: crosswalks for name, crosswalks in found.items() if crosswalks} == CROSSWALKS


def test_truth_reads_every_owned_field_on_both_sides(catalog: Catalog) -> None:
    for name, object_type in catalog.objects.items():
        blocks = named_blocks(DEMO / "sql" / "truth" / f"{name}.sql")
        for side in ("district", "state"):
            missing = [f.name for f in object_type.owned if f'as "{f.name}"' not in blocks[side]]
            assert not missing, f"{name}, {side}"


def test_generator_fills_every_compared_column(catalog: Catalog) -> None:
    for object_type in catalog.objects.values():
        here, there = COLUMNS[object_type.district.name].split(), COLUMNS[object_type.state.name].split()
        assert [
            f.name for f in object_type.compared if f.district_column not in here or f.state_column not in there
        ] == []


def test_proof_imports_nothing_of_the_services() -> None:
    proof = [DEMO / "prove.py", DEMO / "tables.py", *(DEMO / "proof").glob("*.py")]
    assert [p.name for p in proof if "processor" in _imports(p)] == []


def _imports(path: Path) -> str:
    return "\n".join(line for line in path.read_text().splitlines() if line.lstrip().startswith(("import ", "from ")))
