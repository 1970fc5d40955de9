"""Keys made canonical, so that every spelling of one key is one key (DESIGN: one outcome a canonical key)."""

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Sequence

from processor.core.catalog import KeyType
from processor.core.errors import InvalidKey

MAX_KEY_BYTES = 255
_CANONICAL_INTEGER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
"""Most integers as they come: nothing has to be done about them."""
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_BIGINT = range(-(2**63), 2**63)
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)


def canonical_key(text: str, key_type: KeyType) -> str:
    """The one spelling of a key: `007` is `7`, uuids in lower case, blanks around it dropped.

    Raises InvalidKey, whose detail says why and does not repeat the text.
    """
    if key_type is KeyType.INTEGER and _CANONICAL_INTEGER.fullmatch(text):
        return text
    trimmed = text.strip()
    if not trimmed:
        raise InvalidKey("the key is empty")
    try:
        size = len(trimmed.encode())
    except UnicodeEncodeError:
        raise InvalidKey("the key is not valid Unicode") from None
    if size > MAX_KEY_BYTES:
        raise InvalidKey(f"the key is longer than {MAX_KEY_BYTES} bytes")
    if not trimmed.isprintable() and any(unicodedata.category(c) == "Cc" for c in trimmed):
        raise InvalidKey("the key holds a control character")
    if key_type is KeyType.INTEGER:
        return _canonical_integer(trimmed)
    if key_type is KeyType.UUID:
        if not _UUID.fullmatch(trimmed):
            raise InvalidKey("the key is not a uuid")
        return str(uuid.UUID(trimmed))
    return trimmed


def are_plain(texts: Sequence[str], key_type: KeyType) -> bool:
    """Whether all are canonical, told at once, as of most requests they are; False where that takes a look at each."""
    return key_type is KeyType.INTEGER and all(map(_CANONICAL_INTEGER.fullmatch, texts))


def is_canonical(text: str, key_type: KeyType) -> bool:
    try:
        return canonical_key(text, key_type) == text
    except InvalidKey:
        return False


def _canonical_integer(text: str) -> str:
    if not _INTEGER.fullmatch(text):
        raise InvalidKey("the key is not an integer in ASCII digits")
    number = int(text)
    if number not in _BIGINT:
        raise InvalidKey("the key is beyond a 64-bit integer")
    return str(number)


def invalid_key_id(text: str) -> str:
    """Stands for a text that cannot be a key: `!` and the SHA-256 of its UTF-8 bytes in hex."""
    return "!" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
