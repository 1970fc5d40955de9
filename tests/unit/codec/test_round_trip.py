"""Whatever the core can say comes back equal."""

from hypothesis import given

from processor.codec import Codec, Record
from tests.unit.codec.records import CATALOG
from tests.unit.codec.strategies import RECORDS

CODEC = Codec.open(None, CATALOG)


@given(RECORDS)
def test_a_record_comes_back_equal(record: Record) -> None:
    assert CODEC.decode(CODEC.encode("any", record), {type(record)}) == record
