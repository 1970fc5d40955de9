"""`resync release`: let a held request go on, or reject it."""

from typing import Annotated

import typer

from processor.cli.output import Output
from processor.cli.requests import request_id_of
from processor.core.history import OrderAction


def release(
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")],
    *,
    reject: Annotated[bool, typer.Option("--reject", help="Nothing of it is to be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the order is carried out.")] = True,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for that.")] = 60.0,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of what is printed on stdout.")] = Output.TABLE,
) -> None:
    """Release a request that is held because it would change much, or reject it.

    Shows what it would change, and asks. Who asked for the request may do neither. What is sent is decided anew by what
    both sides hold then.
    """
    from processor.cli.order import give

    action = OrderAction.REJECT if reject else OrderAction.RELEASE
    give(action, request_id_of(request), output, yes=yes, wait_s=timeout if wait else None)
