"""`resync submit`: ask for records to be made equal at the state."""

import getpass
import os
import socket
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.exits import UsageError
from processor.cli.keys import read_keys
from processor.cli.output import Output, print_json, print_line, print_rows, say
from processor.core.ids import is_request_id
from processor.core.model import Dependencies, Keys, Mode, OnStateOnly, Request
from processor.service.submit import split

if TYPE_CHECKING:
    from processor.settings import Settings


class ModeOption(StrEnum):
    SYNC = "sync"
    FORCE = "force"
    VERIFY = "verify"


class DependenciesOption(StrEnum):
    NONE = "none"
    PARENTS = "parents"
    CHILDREN = "children"
    ALL = "all"


class OnStateOnlyOption(StrEnum):
    REPORT = "report"
    DELETE = "delete"


def submit(
    *,
    district: Annotated[str, typer.Option("--district", "-d", help="The district, as the catalog names it.")],
    object_name: Annotated[str, typer.Option("--object", help="The object, such as PersonIdentity.")],
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEYS... | -]", help="Keys; - reads them from standard input, one a line."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="One key a line; of a .csv file the first column."),
    ] = None,
    mode: Annotated[ModeOption, typer.Option(help="force sends also what is equal; verify sends nothing.")] = (
        ModeOption.SYNC
    ),
    dependencies: Annotated[DependenciesOption, typer.Option(help="Which related records go along.")] = (
        DependenciesOption.NONE
    ),
    on_state_only: Annotated[OnStateOnlyOption, typer.Option(help="What becomes of records only the state has.")] = (
        OnStateOnlyOption.REPORT
    ),
    request_id: Annotated[
        str | None, typer.Option(metavar="UUID", help="Drawn where not given. The same id does nothing twice.")
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for those who read the history.")] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of what is printed on stdout.")] = Output.TABLE,
) -> None:
    """Ask for records of one object of one district to be made equal at the state.

    Prints the request's id on stdout, and nothing else there; several ids where there are more keys than one request
    can carry. Keys that begin with a minus go after --.
    """
    request = Request(
        request_id=_checked_id(request_id),
        district_id=_text("--district", district),
        object=_text("--object", object_name),
        selection=Keys(tuple(read_keys(keys or [], file))),
        requested_by=requester(),
        mode=Mode(mode.upper()),
        dependencies=Dependencies(dependencies.upper()),
        on_state_only=OnStateOnly(on_state_only.upper()),
        requested_at=datetime.now(UTC),
        reason=None if reason is None else _text("--reason", reason),
    )
    from processor.settings import load_settings

    settings = load_settings()
    requests = split(request)
    _warn(settings, request)
    publish(settings, requests)
    _print_ids(output, requests)


def publish(settings: "Settings", requests: list[Request]) -> None:
    from processor.cli import parts

    parts.open_publisher(settings, parts.open_codec(settings)).publish(requests)


def requester() -> str:
    """The account and the machine: a claim, as good as the machine's."""
    try:
        account = getpass.getuser()
    except (OSError, KeyError):
        account = f"uid {os.getuid()}"
    return f"{account}@{socket.gethostname()}"


def _checked_id(given: str | None) -> str:
    if given is None:
        return str(uuid.uuid4())
    if not is_request_id(given):
        raise UsageError("--request-id: a uuid is needed, 8-4-4-4-12 hexadecimal digits")
    return given.lower()


_MAX_TEXT_BYTES = 10_000


def _text(option: str, given: str) -> str:
    try:
        size = len(given.encode())
    except UnicodeEncodeError:
        raise UsageError(f"{option}: is not UTF-8 text") from None
    if size > _MAX_TEXT_BYTES:
        raise UsageError(f"{option}: is longer than {_MAX_TEXT_BYTES} bytes")
    return given


def _warn(settings: "Settings", request: Request) -> None:
    """Says early what the processor will say. It alone decides: its catalog may be another than the one here."""
    from processor.catalog_file import CatalogError
    from processor.cli import parts
    from processor.service.submit import doubts

    if not settings.catalog.is_file():
        return
    try:
        catalog = parts.open_catalog(settings)
    except CatalogError as fault:
        say(f"warning: keys were not checked, the catalog has mistakes: {fault}")
        return
    for doubt in doubts(request, catalog):
        say(f"warning: {doubt}")


def _print_ids(output: Output, requests: list[Request]) -> None:
    rows = [{"request_id": r.request_id, "keys": _count(r)} for r in requests]
    if len(requests) > 1:
        say(f"{sum(map(_count, requests))} keys in {len(rows)} requests with run id {requests[0].run_id}")
    if output is Output.TABLE:
        for request in requests:
            print_line(request.request_id)
    elif output is Output.JSON:
        print_json({"run_id": requests[0].run_id, "requests": rows})
    else:
        print_rows(output, ("request_id", "keys"), rows)


def _count(request: Request) -> int:
    return len(request.selection.keys) if isinstance(request.selection, Keys) else 0
