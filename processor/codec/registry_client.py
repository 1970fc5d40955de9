"""What is asked of a registry, and the clients that ask: the standard library, or Confluent's where one signs in.

Confluent's client takes every option there is, and a fifth of a second and 12 MB to import (ADR 0241). So it is for
deployments that set options, credentials in the address, several addresses or https.
"""

import json
import re
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

T = TypeVar("T")

TIMEOUT_S = 5
RETRY_AFTER_S = 0.2
_DEFAULTS: Mapping[str, Any] = {
    "timeout": TIMEOUT_S,
    "max.retries": 1,
    "retries.wait.ms": 200,
    "retries.max.wait.ms": 1000,
}
_PLAIN = re.compile(r"http://[^@,\s]+")
_SERVER_FAULT = 500
_NO_ANSWER = (OSError, HTTPException, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What comes of reading an answer that is cut short, or that is no registry's."""
_TYPE = "application/vnd.schemaregistry.v1+json"


class Refusal(Exception):
    """A registry's answer that is not what was asked for; `code` is the registry's own, or that of HTTP."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class NoAnswer(Exception):
    """There is no registry there, or what answers is none; `why` is the name of a fault."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Held:
    """A schema as a registry has it, or what it gave for one: `kind` None is Avro."""

    text: object
    kind: str | None


class RegistryClient(Protocol):
    """Blocks for some seconds at most. Everything raises Refusal and NoAnswer."""

    def schema(self, schema_id: int) -> Held: ...

    def look_up(self, subject: str, text: str) -> int | None:
        """The id of a schema that the subject holds."""
        ...

    def register(self, subject: str, text: str) -> int | None: ...

    def rule(self, subject: str | None) -> str:
        """Of a subject, or the registry's own."""
        ...

    def set_rule(self, subject: str, rule: str) -> None: ...

    def versions(self, subject: str) -> list[int]: ...

    def version(self, subject: str, number: int) -> Held: ...

    def close(self) -> None: ...


def client(url: str, options: Mapping[str, Any]) -> RegistryClient:
    """Connects only when it is asked. Raises NoAnswer for what can be no address."""
    return ConfluentClient(url, options) if options or not _PLAIN.fullmatch(url) else PlainClient(url)


class PlainClient:
    """At one address, over http, for whoever may come. A connection a question: there are few of them."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def schema(self, schema_id: int) -> Held:
        return self._asked("GET", f"schemas/ids/{schema_id}", read=_held)

    def look_up(self, subject: str, text: str) -> int | None:
        return self._asked("POST", f"subjects/{_quoted(subject)}", _schema(text), read=_id)

    def register(self, subject: str, text: str) -> int | None:
        return self._asked("POST", f"subjects/{_quoted(subject)}/versions", _schema(text), read=_id)

    def rule(self, subject: str | None) -> str:
        place = "config" if subject is None else f"config/{_quoted(subject)}"
        return self._asked("GET", place, read=lambda answer: str(answer["compatibilityLevel"]))

    def set_rule(self, subject: str, rule: str) -> None:
        self._asked("PUT", f"config/{_quoted(subject)}", {"compatibility": rule}, read=_document)

    def versions(self, subject: str) -> list[int]:
        return self._asked("GET", f"subjects/{_quoted(subject)}/versions", read=lambda answer: list(map(int, answer)))

    def version(self, subject: str, number: int) -> Held:
        return self._asked("GET", f"subjects/{_quoted(subject)}/versions/{number}", read=_held)

    def close(self) -> None:
        """There is nothing to close."""

    def _asked(self, method: str, place: str, body: object = None, *, read: Callable[[Any], T]) -> T:
        """What `read` makes of the answer. Where there is none, or a fault of the server's, it is asked once more."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": _TYPE, "Content-Type": _TYPE}
        request = urllib.request.Request(f"{self._url}/{place}", data, headers, method=method)  # noqa: S310 (see _PLAIN)
        is_last = False
        while True:
            try:
                return read(_answer(request))
            except urllib.error.HTTPError as fault:
                if is_last or fault.code < _SERVER_FAULT:
                    raise _refusal(fault) from fault
                fault.close()
            except _NO_ANSWER as fault:
                if is_last:
                    why = getattr(fault, "reason", fault)
                    raise NoAnswer(type(why if isinstance(why, Exception) else fault).__name__) from fault
            is_last = True
            time.sleep(RETRY_AFTER_S)


def _answer(request: urllib.request.Request) -> Any:  # noqa: ANN401 (JSON)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 (see _PLAIN)
        return json.load(answer)


def _refusal(fault: urllib.error.HTTPError) -> Refusal:
    with fault:
        try:
            told = json.load(fault)
            return Refusal(fault.code, int(told["error_code"]), str(told["message"]))
        except _NO_ANSWER:
            return Refusal(fault.code, fault.code, "")


def _quoted(subject: str) -> str:
    return quote(subject, safe="")


def _schema(text: str) -> Mapping[str, str]:
    return {"schema": text, "schemaType": "AVRO"}


def _held(answer: Mapping[str, Any]) -> Held:
    return Held(answer["schema"], answer.get("schemaType"))


def _id(answer: Mapping[str, Any]) -> int | None:
    return answer.get("id")


def _document(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return answer


class ConfluentClient:
    """By whatever options say."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

        self._schema = Schema
        try:
            self._client = SchemaRegistryClient({**_DEFAULTS, **options, "url": url})
        except (OSError, ValueError, TypeError) as fault:
            raise NoAnswer(type(fault).__name__) from fault

    def schema(self, schema_id: int) -> Held:
        found = self._asked(lambda client: client.get_schema(schema_id))
        return Held(found.schema_str, found.schema_type)

    def look_up(self, subject: str, text: str) -> int | None:
        schema = self._schema(text, "AVRO")
        return self._asked(lambda client: client.lookup_schema(subject, schema)).schema_id

    def register(self, subject: str, text: str) -> int | None:
        schema = self._schema(text, "AVRO")
        return self._asked(lambda client: client.register_schema_full_response(subject, schema)).schema_id

    def rule(self, subject: str | None) -> str:
        return self._asked(lambda client: client.get_compatibility(subject))

    def set_rule(self, subject: str, rule: str) -> None:
        self._asked(lambda client: client.set_compatibility(subject, rule))

    def versions(self, subject: str) -> list[int]:
        return self._asked(lambda client: client.get_versions(subject))

    def version(self, subject: str, number: int) -> Held:
        found = self._asked(lambda client: client.get_version(subject, number)).schema
        return Held(found.schema_str, found.schema_type)

    def close(self) -> None:
        self._client.close()

    def _asked(self, ask: Callable[["SchemaRegistryClient"], T]) -> T:
        import httpx2
        from confluent_kafka.schema_registry import SchemaRegistryError

        try:
            return ask(self._client)
        except SchemaRegistryError as fault:
            raise Refusal(fault.http_status_code, fault.error_code, fault.error_message) from fault
        except (httpx2.HTTPError, *_NO_ANSWER) as fault:
            raise NoAnswer(type(fault).__name__) from fault
