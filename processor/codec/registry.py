"""The schema registry: ids of schemas and schemas of ids, by Confluent's API.

Blocks for at most a few seconds a call. Whatever is not a clear answer is RegistryUnavailable.
"""

import weakref
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from processor.codec.errors import IncompatibleSchema, NotRegistered, RegistryUnavailable
from processor.codec.registry_client import Held, NoAnswer, Refusal, RegistryClient, client

T = TypeVar("T")

_UNKNOWN_SUBJECT = 40401
_UNKNOWN_SCHEMA = 40403
_NO_RULE = 40408
_CONFLICT = 409
_IDS = range(2**32)
"""The framing has four bytes for one."""


class Compatibility(StrEnum):
    """What a new schema of a subject must be able to do; see docs/events.md."""

    BACKWARD = "BACKWARD_TRANSITIVE"
    FULL = "FULL_TRANSITIVE"


class _NotFound(Exception):
    """The registry answered clearly that it has no such schema or subject."""


class _Refused(Exception):
    """The registry answered that the schema is incompatible."""


class Registry:
    """`options` are passed to Confluent's client, such as `basic.auth.user.info` or `ssl.ca.location`.

    Connections close when this object goes.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        self._url = url
        self._options = options or {}
        self._client: RegistryClient | None = None

    def schema_text(self, schema_id: int) -> str | None:
        """The schema's JSON, or None where the registry says that the id is unknown or not of an Avro schema."""
        try:
            schema = self._call(lambda client: client.schema(schema_id))
        except _NotFound:
            return None
        return _text(schema) if schema.kind in (None, "AVRO") else None

    def schema_id(self, subject: str, text: str) -> int:
        """The id of a schema under its subject. Raises NotRegistered."""
        try:
            return _id(self._call(lambda client: client.look_up(subject, text)))
        except _NotFound:
            raise NotRegistered(
                f"the registry at {self._url} does not hold this release's schema under the subject {subject}; "
                "run `resync topics create`"
            ) from None

    def register(self, subject: str, text: str, compatibility: Compatibility) -> int:
        """The id under which the subject holds the schema from now on. Raises IncompatibleSchema.

        The subject's rule is set before a schema is added: a registry's default may be to accept anything.
        """
        new = not self._set_compatibility(subject, compatibility)
        try:
            schema_id = _id(self._call(lambda client: client.register(subject, text)))
        except _Refused as fault:
            raise IncompatibleSchema(
                f"the registry at {self._url} refused this release's schema under the subject {subject}, "
                f"whose rule is {compatibility}: {fault}"
            ) from None
        if new:
            self._set_compatibility(subject, compatibility)
        return schema_id

    def rule(self, subject: str) -> str | None:
        """The subject's compatibility level, or the registry's own where it has none."""
        for name in (subject, None):
            try:
                return self._call(partial(_rule, subject=name))
            except _NotFound:
                continue
        return None

    def versions(self, subject: str) -> list[tuple[int, str]]:
        """Number and text of every schema that the subject holds."""
        try:
            numbers = self._call(lambda client: client.versions(subject))
            found = [self._call(partial(_version, subject=subject, number=number)) for number in numbers]
        except _NotFound:
            return []
        return [(number, _text(schema)) for number, schema in zip(numbers, found, strict=True)]

    def _set_compatibility(self, subject: str, compatibility: Compatibility) -> bool:
        """False where the registry sets rules only for subjects that exist already."""
        try:
            self._call(lambda client: client.set_rule(subject, compatibility.value))
        except _NotFound:
            return False
        return True

    def _call(self, ask: Callable[[RegistryClient], T]) -> T:
        try:
            if self._client is None:
                self._client = client(self._url, self._options)
                weakref.finalize(self, self._client.close)
            return ask(self._client)
        except Refusal as fault:
            if fault.status == _CONFLICT:
                raise _Refused(str(fault)) from None
            if fault.code in (_UNKNOWN_SUBJECT, _UNKNOWN_SCHEMA, _NO_RULE):
                raise _NotFound from None
            raise RegistryUnavailable(
                f"the schema registry at {self._url} answered HTTP {fault.status} (code {fault.code}); "
                "check its address, credentials and health"
            ) from fault
        except NoAnswer as fault:
            raise RegistryUnavailable(
                f"the schema registry at {self._url} gave no answer that a registry gives ({fault.why}); "
                "check its address and health"
            ) from fault


def _rule(client: RegistryClient, subject: str | None) -> str:
    return client.rule(subject)


def _version(client: RegistryClient, subject: str, number: int) -> Held:
    return client.version(subject, number)


def _id(schema_id: object) -> int:
    if type(schema_id) is not int or schema_id not in _IDS:
        raise RegistryUnavailable("the schema registry answered without a schema id; it may not be a registry")
    return schema_id


def _text(schema: Held) -> str:
    if not isinstance(schema.text, str):
        raise RegistryUnavailable("the schema registry answered without a schema's text; it may not be a registry")
    return schema.text
