"""Bytes that are no record here: each fault is named, and no message repeats what the bytes say."""

from dataclasses import replace
from io import BytesIO

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.adapters.postgres.state_writer import PostgresStateWriter
from processor.codec import Codec, DecodeError, Record
from processor.codec.framing import single_object_header
from processor.codec.schema_files import SchemaFiles
from processor.core.catalog import Catalog
from processor.core.chunk import Chunk
from processor.core.correction import Answer, Correction, Op, Result
from processor.core.errors import Reason
from processor.core.history import Clear, KeyOutcome, RequestState, RequestStatus
from processor.core.request import Keys, Request
from tests.applying import apply
from tests.unit.codec.catalogs import catalog_of
from tests.unit.codec.records import CATALOG, CORRECTION, REQUEST, SAMPLES, SOURCE

CODEC = Codec.open(None, CATALOG)
GOOD = CODEC.encode("any", REQUEST)


def reason_of(data: bytes, expected: type[Record]) -> Reason | None:
    """None where the bytes are such a record."""
    try:
        assert isinstance(CODEC.decode(data, {expected}), expected)
    except DecodeError as caught:
        return caught.reason
    return None


def fault(data: bytes, *expected: type, codec: Codec = CODEC) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        codec.decode(data, expected or (Request,))
    return caught.value


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b'{"request_id": "x"}', "begins neither with 00"),
        (b"\xc3\x02" + bytes(20), "begins neither with 00"),
        (b"\xc3", "begins neither with 00"),
        (b"\xc3\x01" + bytes(7), "first 10 bytes"),
        (b"\x00\x00\x00", "first 5 bytes"),
        (b"\xc3\x01" + b"\x01\x23\x45\x67\x89\xab\xcd\xef" + GOOD[10:], "unknown fingerprint efcdab8967452301"),
        (b"\x00\x00\x00\x00\x07" + GOOD[10:], "registry id 7 cannot be looked up: RESYNC_REGISTRY_URL is not set"),
        (GOOD[:-1], "ends early or is damaged: not a selectivesync.v1.ResyncRequest (EOFError)"),
        (GOOD + b"\x00\x00", "2 bytes follow the end of the selectivesync.v1.ResyncRequest"),
    ],
)
def test_unreadable_bytes_say_what_is_wrong(data: bytes, said: str) -> None:
    caught = fault(data)
    assert caught.reason is Reason.UNDECODABLE
    assert said in caught.detail


def test_a_text_that_is_no_unicode_is_undecodable() -> None:
    """UTF-8 of half a surrogate pair, as some languages' encoders let it through."""
    surrogate = "\ud800".encode("utf-8", "surrogatepass")
    for name in ("requested_by", "reason", "run_id", "district_id"):
        data = CODEC.encode("any", replace(REQUEST, **{name: "§x"}))  # type: ignore[arg-type]
        assert fault(data.replace("§x".encode(), surrogate)).reason is Reason.UNDECODABLE


@pytest.mark.parametrize("request_id", ["", "7", "\0" * 36, "x" * 10_000])
def test_a_wish_under_an_id_that_no_request_has_is_no_wish(request_id: str) -> None:
    wish = SAMPLES["Clear"]
    assert isinstance(wish, Clear)
    assert fault(CODEC.encode("any", replace(wish, request_id=request_id)), Clear).reason is Reason.INVALID_REQUEST


def test_every_cut_of_a_record_is_undecodable() -> None:
    assert {fault(GOOD[:length]).reason for length in range(len(GOOD))} == {Reason.UNDECODABLE}


@given(st.sampled_from(sorted(SAMPLES)), st.binary(max_size=80))
def test_a_body_of_any_bytes_is_a_record_or_a_decode_error(name: str, body: bytes) -> None:
    record = SAMPLES[name]
    data = CODEC.encode("any", record)[:10] + body
    assert reason_of(data, type(record)) in {None, Reason.UNDECODABLE, Reason.INVALID_REQUEST}


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_a_flipped_byte_is_a_record_or_a_decode_error(name: str, data: st.DataObject) -> None:
    record = SAMPLES[name]
    whole = bytearray(CODEC.encode("any", record))
    whole[data.draw(st.integers(10, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    assert reason_of(bytes(whole), type(record)) in {None, Reason.UNDECODABLE, Reason.INVALID_REQUEST}


def test_a_record_of_another_kind_is_named() -> None:
    caught = fault(GOOD, Chunk, RequestStatus)
    assert caught.reason is Reason.UNEXPECTED_RECORD
    assert caught.detail == (
        "a selectivesync.v1.ResyncRequest, where one of these belongs: "
        "selectivesync.v1.RequestStatus, selectivesync.v1.ResyncChunk"
    )


def answered(correction: Correction, applier: Catalog) -> Answer:
    """By an applier with a catalog of its own. No database is asked for what it cannot carry out."""
    read = Codec.open(None, applier).decode(CODEC.encode("any", correction), {Correction})
    assert isinstance(read, Correction)
    (answer,) = apply([read], PostgresStateWriter("", applier), SOURCE.sent_at)
    return answer


@pytest.mark.parametrize("op", Op)
def test_a_correction_of_an_object_outside_the_catalog_is_answered(op: Op) -> None:
    """Its key would else wait for the answer's deadline."""
    correction = replace(
        CORRECTION,
        op=op,
        before=None if op is Op.CREATE else CORRECTION.before,
        after=None if op is Op.DELETE else CORRECTION.after,
    )
    answer = answered(correction, catalog_of("PersonIdentity"))
    assert answer == Answer(SOURCE, Result.REJECTED_BY_STATE, "object not in the catalog", SOURCE.sent_at)


def test_a_correction_of_fields_that_the_catalog_does_not_sync_is_answered() -> None:
    source = replace(SOURCE, changed_fields=("grade", "shoeSize"))
    answer = answered(replace(CORRECTION, source=source), CATALOG)
    assert answer == Answer(source, Result.REJECTED_BY_STATE, "not owned by the district: shoeSize", SOURCE.sent_at)


def test_a_correction_is_no_request_even_of_an_object_outside_the_catalog() -> None:
    caught = fault(CODEC.encode("any", CORRECTION), codec=Codec.open(None, catalog_of("PersonIdentity")))
    assert caught.reason is Reason.UNEXPECTED_RECORD
    assert "a selectivesync.v1.EnrollmentCorrection, where" in caught.detail


@pytest.mark.parametrize("request_id", ["", "7", "secret-value", "0b9c4a3e6f0d4c579a552f1f6d3b7c11"])
def test_a_request_needs_a_uuid(request_id: str) -> None:
    caught = fault(CODEC.encode("any", replace(REQUEST, request_id=request_id)))
    assert caught.reason is Reason.INVALID_REQUEST
    assert "request_id is not a uuid" in caught.detail
    assert "secret" not in caught.detail


def test_a_request_id_is_one_id_in_either_case() -> None:
    shouted = CODEC.encode("any", replace(REQUEST, request_id=REQUEST.request_id.upper()))
    assert CODEC.decode(shouted, {Request}) == REQUEST


def written(name: str, **fields: object) -> bytes:
    """A record as another program may write it, with our schema and any symbols and values that it allows."""
    schema = next(schema for schema in SchemaFiles().records() if schema["name"] == name)
    entry = next(entry for kind in (Request, Chunk, KeyOutcome, Answer) for entry in CODEC.schemas_of(kind)
                 if entry.record.name.endswith("." + name))  # fmt: skip
    wire = {**entry.record.to_wire(next(r for r in SAMPLES.values() if type(r) is entry.record.type)), **fields}
    out = BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), wire)
    return single_object_header(entry.fingerprint) + out.getvalue()


def test_an_unknown_symbol_that_decides_is_refused() -> None:
    caught = fault(written("ResyncChunk", mode="UNKNOWN"), Chunk)
    assert caught.reason is Reason.UNDECODABLE
    assert "Mode has a symbol that this release does not know" in caught.detail
    assert fault(written("KeyOutcome", status="UNKNOWN"), KeyOutcome).reason is Reason.UNDECODABLE
    assert fault(written("Answer", result="UNKNOWN"), Answer).reason is Reason.UNDECODABLE


def test_a_request_with_unknown_symbols_is_read_so_that_it_can_be_rejected_and_told_of() -> None:
    request = CODEC.decode(written("ResyncRequest", mode="UNKNOWN", report="UNKNOWN"), {Request})
    assert isinstance(request, Request)
    assert request.not_understood == ("mode", "report")
    status = RequestStatus(replace(request, selection=Keys(())), RequestState.REJECTED, None, None, 0, SOURCE.sent_at)
    assert CODEC.decode(CODEC.encode("any", status), {RequestStatus}) == status


def test_an_unknown_symbol_that_only_explains_is_left_out() -> None:
    outcome = CODEC.decode(written("KeyOutcome", reason="UNKNOWN"), {KeyOutcome})
    assert isinstance(outcome, KeyOutcome)
    assert outcome.reason is None


def test_a_time_beyond_the_calendar_is_undecodable() -> None:
    assert fault(written("KeyOutcome", decided_at=2**62), KeyOutcome).reason is Reason.UNDECODABLE
