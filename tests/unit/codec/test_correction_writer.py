"""What is kept of a correction's bytes goes into no other that differs there; texts are the values they stand for."""

from collections.abc import Sequence
from dataclasses import fields, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec
from processor.codec.correction_writer import CorrectionWriter
from processor.core.catalog import FieldSpec, Lookup
from processor.core.correction import Correction, Source
from processor.core.history import KeyOutcome, Sent, Status
from processor.core.values import DANGLING, Values
from tests.unit.codec.records import CATALOG, CORRECTION
from tests.unit.codec.strategies import CORRECTIONS, OUTCOMES, SOURCES, updates

CODEC = Codec.open(None, CATALOG)
KIND = CATALOG.objects["Enrollment"]


def assert_as_in_full(correction: Correction, codec: Codec = CODEC) -> None:
    name = f".{correction.source.object}Correction"
    (schema,) = (each for each in codec.schemas_of(Correction) if each.record.name.endswith(name))
    assert isinstance(schema.body, CorrectionWriter)
    assert schema.body(correction) == schema.write(schema.record.to_wire(correction))


def codec_of(**changed: FieldSpec) -> Codec:
    """Of a catalog with some fields changed."""
    kind = replace(KIND, fields=tuple(changed.get(each.name, each) for each in KIND.fields))
    return Codec.open(None, replace(CATALOG, objects={kind.name: kind}))


def without_grade(row: Values | None) -> Values:
    return {name: text for name, text in (row or {}).items() if name != "grade"}


@given(CORRECTIONS | updates())
def test_a_correction_of_any_rows(correction: Correction) -> None:
    assert_as_in_full(correction)


@given(updates(), SOURCES, st.sets(st.sampled_from([each.name for each in fields(Source) if each.name != "object"])))
def test_a_correction_after_one_like_it(one: Correction, other: Source, names: set[str]) -> None:
    source = replace(one.source, **{name: getattr(other, name) for name in names})
    for correction in (one, replace(one, source=source)):
        assert_as_in_full(correction)


@given(updates(), st.randoms(use_true_random=False))
def test_values_may_come_in_any_order(correction: Correction, random: Random) -> None:
    names = [each.name for each in KIND.owned]
    random.shuffle(names)
    before, after = ({name: row[name] for name in names} for row in (correction.before, correction.after) if row)
    assert_as_in_full(replace(correction, before=before, after=after))


def test_a_reference_that_leads_nowhere_is_null() -> None:
    grade = replace(KIND.by_name["grade"], state_lookup=Lookup("grades", "district", "key", "id"))
    before = {**CORRECTION.before, "grade": DANGLING}  # type: ignore[dict-item]
    assert_as_in_full(replace(CORRECTION, before=before), codec_of(grade=grade))


def test_a_field_that_not_both_sides_keep_is_null() -> None:
    grade = replace(KIND.by_name["grade"], state_column=None)
    before, after = (without_grade(each) for each in (CORRECTION.before, CORRECTION.after))
    assert_as_in_full(replace(CORRECTION, before=before, after=after), codec_of(grade=grade))


def test_a_field_that_is_missed_is_told() -> None:
    with pytest.raises(KeyError, match="grade"):
        CODEC.encode("any", replace(CORRECTION, after=without_grade(CORRECTION.after)))


@given(OUTCOMES.map(lambda each: replace(each, status=Status.SENT)), st.lists(SOURCES, min_size=1, max_size=3))
def test_outcomes_of_what_was_sent(first: KeyOutcome, sources: Sequence[Source]) -> None:
    sent = Sent(first, list(sources))
    write = CODEC.alike_writer("any", sent)
    assert [write(source) for source in sources] == [CODEC.encode("any", outcome) for outcome in sent.each()]
