"""Errors that do not come from our own statement but from a function that it set off: a trigger's, a view's.

Such a function gives its error any SQLSTATE that it likes, and a message with values.
"""

import psycopg

_RAISE = "exec_stmt_raise"
"""Where the server's source raises what a PL/pgSQL function asks it to."""


def is_raised(error: psycopg.Error) -> bool:
    """Whether a function refused by itself, whatever SQLSTATE it gave as the reason."""
    return error.diag.source_function == _RAISE


def is_within_function(error: psycopg.Error) -> bool:
    """Whether it happened within a function; for classes of errors that have no other context."""
    return error.diag.context is not None


def safe_message(error: psycopg.Error) -> str | None:
    """The server's message, unless a function may have put a value into it."""
    return None if is_raised(error) or is_within_function(error) else error.diag.message_primary
