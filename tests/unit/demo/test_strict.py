"""The strict roles' catalog is the demo's own but for limits and one district."""

from dataclasses import asdict, replace
from pathlib import Path

from demo import strict
from processor.catalog_file import Secrets, load_catalog
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import District


def test_the_strict_catalog_differs_in_limits_and_by_a_district(tmp_path: Path) -> None:
    file = tmp_path / "strict.yaml"
    strict.write_catalog(file)
    found = load_catalog(file, SchemaFiles().object, Secrets.LEFT_OUT)
    usual = load_catalog(strict.DEMO / "catalog.yaml", SchemaFiles().object, Secrets.LEFT_OUT)
    gone = District(strict.GONE, "Outer Isles", strict.GONE_DSN)
    assert found == replace(usual, districts={**usual.districts, strict.GONE: gone}, limits=found.limits)
    assert asdict(found.limits) == asdict(usual.limits) | strict.LIMITS
