"""`resync cancel`: stop a request that is under way, or held."""

from typing import Annotated

import typer

from processor.cli.output import Output
from processor.cli.requests import request_id_of
from processor.core.history import OrderAction


def cancel(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the order is carried out.")] = True,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for that.")] = 60.0,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of what is printed on stdout.")] = Output.TABLE,
) -> None:
    """Cancel a request: what was not read yet ends CANCELLED, what was sent is still answered."""
    from processor.cli.order import give

    give(OrderAction.CANCEL, request_id_of(request), output, yes=yes, wait_s=timeout if wait else None)
