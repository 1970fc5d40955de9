"""Records to bytes and back."""

from processor.codec.codec import Codec
from processor.codec.errors import DecodeError, IncompatibleSchema, NotRegistered, RegistryUnavailable
from processor.codec.outcome_reader import Own
from processor.codec.record_types import Record

__all__ = ["Codec", "DecodeError", "IncompatibleSchema", "NotRegistered", "Own", "Record", "RegistryUnavailable"]
