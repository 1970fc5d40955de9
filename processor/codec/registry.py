"""The schema registry: ids of schemas and schemas of ids, by Confluent's API.

Blocks for at most a few seconds a call. Whatever is not a clear answer is RegistryUnavailable. The client is imported
on first use: it is slow to import and warns on stderr.
"""

import warnings
import weakref
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from processor.codec.errors import IncompatibleSchema, NotRegistered, RegistryUnavailable

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import RegisteredSchema, Schema, SchemaRegistryClient

T = TypeVar("T")

_UNKNOWN_SUBJECT = 40401
_UNKNOWN_SCHEMA = 40403
_NO_RULE = 40408
_CONFLICT = 409
_DEFAULTS: Mapping[str, Any] = {"timeout": 5, "max.retries": 1, "retries.wait.ms": 200, "retries.max.wait.ms": 1000}


class Compatibility(StrEnum):
    """What a new schema of a subject must be able to do; see docs/events.md."""

    BACKWARD = "BACKWARD_TRANSITIVE"
    FULL = "FULL_TRANSITIVE"


class _NotFound(Exception):
    """The registry answered clearly that it has no such schema or subject."""


class _Refused(Exception):
    """The registry answered that the schema is incompatible."""


class Registry:
    """`options` are passed to the client, such as `basic.auth.user.info` or `ssl.ca.location`.

    Connections close when this object goes.
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        self._url = url
        self._options = {**_DEFAULTS, **(options or {}), "url": url}
        self._client: SchemaRegistryClient | None = None

    def schema_text(self, schema_id: int) -> str | None:
        """The schema's JSON, or None where the registry says that the id is unknown or not of an Avro schema."""
        try:
            schema = self._call(lambda client: client.get_schema(schema_id))
        except _NotFound:
            return None
        return schema.schema_str if schema.schema_type in (None, "AVRO") else None

    def schema_id(self, subject: str, text: str) -> int:
        """The id of a schema under its subject. Raises NotRegistered."""
        schema = self._schema(text)
        try:
            found = self._call(lambda client: client.lookup_schema(subject, schema))
        except _NotFound:
            raise NotRegistered(
                f"the registry at {self._url} does not hold this release's schema under the subject {subject}; "
                "run `resync topics create`"
            ) from None
        return _id(found.schema_id)

    def register(self, subject: str, text: str, compatibility: Compatibility) -> int:
        """The id under which the subject holds the schema from now on. Raises IncompatibleSchema.

        The subject's rule is set before a schema is added: a registry's default may be to accept anything.
        """
        schema = self._schema(text)
        new = not self._set_compatibility(subject, compatibility)
        try:
            found = self._call(lambda client: client.register_schema_full_response(subject, schema))
        except _Refused as fault:
            raise IncompatibleSchema(
                f"the registry at {self._url} refused this release's schema under the subject {subject}, "
                f"whose rule is {compatibility}: {fault}"
            ) from None
        if new:
            self._set_compatibility(subject, compatibility)
        return _id(found.schema_id)

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
            numbers = self._call(lambda client: client.get_versions(subject))
            found = [self._call(partial(_version, subject=subject, number=number)) for number in numbers]
        except _NotFound:
            return []
        return [(number, schema.schema.schema_str or "") for number, schema in zip(numbers, found, strict=True)]

    def _set_compatibility(self, subject: str, compatibility: Compatibility) -> bool:
        """False where the registry sets rules only for subjects that exist already."""
        try:
            self._call(lambda client: client.set_compatibility(subject, compatibility.value))
        except _NotFound:
            return False
        return True

    def _schema(self, text: str) -> "Schema":
        self._connected()
        from confluent_kafka.schema_registry import Schema

        return Schema(text, "AVRO")

    def _connected(self) -> "SchemaRegistryClient":
        if self._client is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from confluent_kafka.schema_registry import SchemaRegistryClient

            self._client = SchemaRegistryClient(self._options)
            weakref.finalize(self, self._client.close)
        return self._client

    def _call(self, ask: Callable[["SchemaRegistryClient"], T]) -> T:
        client = self._connected()
        import httpx2
        from confluent_kafka.schema_registry import SchemaRegistryError

        try:
            return ask(client)
        except SchemaRegistryError as fault:
            if fault.http_status_code == _CONFLICT:
                raise _Refused(fault.error_message) from None
            if fault.error_code in (_UNKNOWN_SUBJECT, _UNKNOWN_SCHEMA, _NO_RULE):
                raise _NotFound from None
            raise RegistryUnavailable(
                f"the schema registry at {self._url} answered HTTP {fault.http_status_code} (code {fault.error_code}); "
                "check its address, credentials and health"
            ) from fault
        except (httpx2.HTTPError, OSError, ValueError, TypeError) as fault:
            raise RegistryUnavailable(
                f"the schema registry at {self._url} gave no answer that a registry gives ({type(fault).__name__}); "
                "check its address and health"
            ) from fault


def _rule(client: "SchemaRegistryClient", subject: str | None) -> str:
    return client.get_compatibility(subject)


def _version(client: "SchemaRegistryClient", subject: str, number: int) -> "RegisteredSchema":
    return client.get_version(subject, number)


def _id(schema_id: int | None) -> int:
    if schema_id is None:
        raise RegistryUnavailable("the schema registry answered without a schema id; it may not be a registry")
    return schema_id
