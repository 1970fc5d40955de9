"""`python -m processor.codec.generate` on folders of a deployment's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from processor.codec.generate import main
from processor.codec.schema_files import shipped_schemas

OBJECT = """{"type": "record", "name": "Bus", "namespace": "selectivesync.v1", "doc": "A bus.", "fields": [
  {"name": "seats", "type": ["null", "long"], "default": null, "doc": "Seats."},
  {"name": "fare", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}],
   "default": null, "doc": "Fare."},
  {"name": "inspected", "type": ["null", "boolean"], "default": null, "doc": "By the state.", "owner": "state"}
]}"""

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "Bus.avsc").write_text(OBJECT, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def generate(*options: str) -> tuple[int, str]:
        code = main([*options, "--schemas", str(folder)])
        return code, capsys.readouterr().err

    return generate


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "objects" / "Bus.avsc"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def archived(folder: Path) -> int:
    return len(list((folder / "archive").glob("*.avsc")))


def test_a_new_object_is_stale_until_generated(folder: Path, run: Run) -> None:
    code, said = run("--check")
    assert code == 1
    assert "BusCorrection.avsc is stale; run python -m processor.codec.generate" in said
    assert not (folder / "generated").exists()
    assert run() == (0, "")
    assert run("--check") == (0, "")
    assert archived(folder) == 1


def test_a_correction_carries_what_the_district_owns(folder: Path, run: Run) -> None:
    run()
    text = (folder / "generated" / "BusCorrection.avsc").read_text(encoding="utf-8")
    assert "seats" in text
    assert "inspected" not in text


def test_a_compatible_change_adds_to_the_archive(folder: Path, run: Run) -> None:
    run()
    field = '{"name": "colour", "type": ["null", "string"], "default": null, "doc": "Colour."},'
    change(folder, '{"name": "seats"', field + '{"name": "seats"')
    assert run() == (0, "")
    assert archived(folder) == 2


def test_changed_words_keep_the_archive(folder: Path, run: Run) -> None:
    run()
    change(folder, "Seats.", "Seats, without the driver's.")
    assert run("--check")[0] == 1
    assert run() == (0, "")
    assert archived(folder) == 1


def test_an_incompatible_change_is_named(folder: Path, run: Run) -> None:
    run()
    change(folder, '["null", "long"]', '["null", "string"]')
    code, said = run()
    assert code == 1
    assert "BusCorrection cannot read what" in said
    assert "reader union lacking writer type" in said


def test_a_changed_scale_is_named_although_the_fingerprint_stays(folder: Path, run: Run) -> None:
    run()
    change(folder, '"scale": 2', '"scale": 3')
    code, said = run()
    assert code == 1
    assert "differs from" in said
    assert "in a logical type only" in said


def test_a_changed_scale_is_named_beside_another_change(folder: Path, run: Run) -> None:
    run()
    change(folder, '"scale": 2', '"scale": 3')
    change(folder, '"name": "seats"', '"name": "places"')
    code, said = run()
    assert code == 1
    assert "the logical type of /before/fare changed; add a field instead" in said


def test_an_object_that_is_gone_loses_its_generated_file_only(folder: Path, run: Run) -> None:
    run()
    (folder / "objects" / "Bus.avsc").unlink()
    assert run("--check")[0] == 1
    assert run() == (0, "")
    assert list((folder / "generated").glob("*")) == []
    assert archived(folder) == 1


def test_a_broken_file_is_named(folder: Path, run: Run) -> None:
    (folder / "objects" / "Bus.avsc").write_text("{", encoding="utf-8")
    code, said = run()
    assert code == 1
    assert "Bus.avsc is not JSON" in said


def test_the_shipped_folder_is_found() -> None:
    assert (shipped_schemas() / "objects" / "PersonIdentity.avsc").is_file()
