"""`resync policy`: check the policy's file, or draw a token for a person."""

from pathlib import Path
from typing import Annotated

import typer

from processor.cli.exits import UsageError
from processor.cli.output import print_line, say

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Check the policy, or draw a token."
)


@app.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The policy; without it the one that RESYNC_POLICY names.")
    ] = None,
) -> None:
    """Check the policy against the catalog and tell every mistake; exit code 2 if there is one."""
    from processor.cli import parts
    from processor.settings import load_settings

    settings = load_settings()
    if file is not None:
        settings = settings.model_copy(update={"policy": file})
    policy = parts.open_policy(settings, parts.open_catalog(settings))
    if policy is None:
        raise UsageError("no policy: give its file, or set RESYNC_POLICY, which names it")
    print_line(f"{len(policy.principals)} principals, {len(policy.topics)} request topics")
    for name, principal in policy.principals.items():
        if not principal.token_hashes:
            say(f"note: {name} has no token, so nobody can be {name}")
    if settings.topics.requests not in policy.topics:
        say(f"warning: the request topic {settings.topics.requests} is not declared: every request on it is rejected")
    if settings.topics.control not in policy.control:
        say(f"warning: the control topic {settings.topics.control} is not declared: no wish on it is heard")


@app.command("token")
def token() -> None:
    """Draw a token: printed on stdout for the person, with what to write into the policy on stderr."""
    import secrets
    from hashlib import sha256

    drawn = secrets.token_urlsafe(32)
    print_line(drawn)
    say(f"into the policy, under the person's tokens: {sha256(drawn.encode()).hexdigest()}")
