"""Corrections and what tells of them: nothing that is kept from one goes into another that differs there."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import Codec
from processor.codec.correction_writer import CorrectionWriter
from processor.core.catalog import Lookup
from processor.core.chunk import Ask
from processor.core.correction import Correction, Source
from processor.core.history import Alike, KeyOutcome, Sent
from processor.core.values import DANGLING
from tests.unit.codec.catalogs import catalog_of
from tests.unit.codec.records import CATALOG, SAMPLES
from tests.unit.codec.strategies import CORRECTIONS, OUTCOMES, SOURCES, updates

CODEC = Codec.open(None, CATALOG)
UPDATE = next(each for each in SAMPLES.values() if isinstance(each, Correction) and each.before and each.after)


def assert_as_in_full(correction: Correction, codec: Codec = CODEC) -> None:
    [schema] = [
        s for s in codec.schemas_of(Correction) if s.record.name.endswith(f".{correction.source.object}Correction")
    ]
    assert isinstance(schema.body, CorrectionWriter)
    assert schema.body(correction) == schema.write(schema.record.to_wire(correction))


@given(CORRECTIONS | updates())
def test_any_correction(correction: Correction) -> None:
    assert_as_in_full(correction)


@given(CORRECTIONS, SOURCES, st.sets(st.sampled_from([field.name for field in fields(Source)])))
def test_a_correction_after_one_like_it(one: Correction, other: Source, names: set[str]) -> None:
    source = replace(one.source, **{name: getattr(other, name) for name in names - {"object"}})
    for correction in (one, replace(one, source=source)):
        assert_as_in_full(correction)


def _with_a_reference() -> tuple[Codec, str]:
    """A codec of a catalog in which a field of a text is looked up at the state, and another has no column there."""
    catalog = catalog_of("Enrollment")
    kind = catalog.objects["Enrollment"]
    looked_up = Lookup("t", "district", "key", "id")
    name, absent = UPDATE.source.changed_fields[0], kind.owned[-1].name
    places = {
        name: replace(kind.by_name[name], state_lookup=looked_up),
        absent: replace(kind.by_name[absent], state_column=None),
    }
    kind = replace(kind, fields=tuple(places.get(field.name, field) for field in kind.fields))
    return Codec.open(None, replace(catalog, objects={"Enrollment": kind})), absent
