"""The first bytes of a record: which schema wrote the rest.

Two framings, told apart by their first byte: Confluent's (0, then the registry's id in 4 bytes, most significant
first) and Avro's single-object encoding (C3 01, then the CRC-64-AVRO fingerprint in 8 bytes, least significant first).
"""

from dataclasses import dataclass
from enum import Enum

from processor.codec.errors import DecodeError
from processor.core.errors import Reason

_CONFLUENT = 0x00
_SINGLE_OBJECT = b"\xc3\x01"
_CONFLUENT_LENGTH = 5
_SINGLE_OBJECT_LENGTH = 10


class Framing(Enum):
    """How `WriterRef.number` is to be read."""

    REGISTRY_ID = "registry id"
    FINGERPRINT = "fingerprint"


@dataclass(frozen=True, slots=True)
class WriterRef:
    """The schema that wrote a record."""

    framing: Framing
    number: int

    def __str__(self) -> str:
        shown = f"{self.number:016x}" if self.framing is Framing.FINGERPRINT else str(self.number)
        return f"{self.framing.value} {shown}"


def registry_header(schema_id: int) -> bytes:
    return b"\x00" + schema_id.to_bytes(4, "big")


def single_object_header(fingerprint: int) -> bytes:
    return _SINGLE_OBJECT + fingerprint.to_bytes(8, "little")


def header_of(data: bytes) -> bytes:
    """The framing's bytes: the body begins after them. Raises DecodeError where there is no known framing."""
    if not data:
        raise DecodeError(Reason.UNDECODABLE, "the value is empty")
    if data[0] == _CONFLUENT:
        length = _CONFLUENT_LENGTH
    elif data.startswith(_SINGLE_OBJECT):
        length = _SINGLE_OBJECT_LENGTH
    else:
        raise DecodeError(
            Reason.UNDECODABLE,
            "the value begins neither with 00 (schema registry) nor with C3 01 (Avro single-object encoding)",
        )
    if len(data) < length:
        raise DecodeError(Reason.UNDECODABLE, f"the value ends within its first {length} bytes, which name the schema")
    return data[:length]


def writer_ref(header: bytes) -> WriterRef:
    if header[0] == _CONFLUENT:
        return WriterRef(Framing.REGISTRY_ID, int.from_bytes(header[1:], "big"))
    return WriterRef(Framing.FINGERPRINT, int.from_bytes(header[2:], "little"))
