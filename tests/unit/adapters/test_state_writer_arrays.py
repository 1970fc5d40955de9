"""What corrections have in common goes to the state once, and is equal rather than one object."""

from dataclasses import replace

from processor.adapters.postgres.state_writer_arrays import answers, readings
from processor.core.correction import Result
from processor.service.apply_state import Verdict
from tests.integration.applier.world import NOW, create, version, with_source


def test_readings_that_are_equal_have_one_place() -> None:
    """Rows that are read field by field, as those with longer texts are, have a version of their own."""
    given = [create("Person", str(n), {}) for n in range(3)]
    given += [create("Person", "7", {}, district="SOUTH"), with_source(given[0], district_version=version(101))]
    assert len({id(each.source.district_version) for each in given}) == len(given)
    made = readings(given)
    assert made["origin"] == ["1", "1", "1", "2", "3"]
    assert (made["district"], made["snapshot_xmax"]) == (["NORTH", "SOUTH", "NORTH"], [100, 100, 101])


def test_answers_that_are_equal_have_one_place() -> None:
    """Of what is not applied each has a verdict of its own."""
    missing = Verdict(Result.CONFLICT, "missing", NOW)
    verdicts = [missing, replace(missing), Verdict(Result.ALREADY_EQUAL, None, NOW), replace(missing)]
    given = [with_source(create("Person", str(n), {}), sent_at=NOW) for n in range(len(verdicts))]
    made = answers([*zip(given, verdicts, strict=True)])
    assert made["alike"] == ["1", "1", "2", "1"]
    assert (made["result"], made["detail"]) == (["CONFLICT", "ALREADY_EQUAL"], ["missing", None])
