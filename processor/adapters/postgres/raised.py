"""Errors that do not come from our own statement but from a function that it set off: a trigger's, a view's.

Such a function gives its error any SQLSTATE that it likes, and a message with values.
"""

import psycopg

_RAISE = "exec_stmt_raise"
"""Where the server's source raises what a PL/pgSQL function asks it to."""

_OF_STATEMENTS = ("0A", "3F", "42", "F0", "XX")
"""Classes of errors that our own statement's have no context."""


def is_raised(error: psycopg.Error) -> bool:
    """Whether a function refused by itself, whatever SQLSTATE it gave as the reason."""
    return error.diag.source_function == _RAISE


def is_within_function(error: psycopg.Error) -> bool:
    """Whether it happened within a function; other contexts have errors of other classes."""
    return error.diag.context is not None


def is_of_a_row(error: psycopg.Error) -> bool:
    """Whether a function refused or failed, which it may do for one row and not for another."""
    return is_raised(error) or ((error.sqlstate or "").startswith(_OF_STATEMENTS) and is_within_function(error))


def safe_message(error: psycopg.Error) -> str | None:
    """The server's message, unless a function may have put a value into it."""
    return None if is_raised(error) or is_within_function(error) else error.diag.message_primary
