"""Errors that do not come from our own statement but from a function that it set off: a trigger's, a view's.

Such a function gives its error any SQLSTATE that it likes, and a message with values.
"""

import psycopg

_RAISE = "exec_stmt_raise"
"""Where the server's source raises what a PL/pgSQL function asks it to."""

_OF_VALUES = ("21", "23", "54000")
"""Errors that only rows give: a subquery with two of them, constraints, a domain's among them, more than 1 GB."""

_OF_THE_SERVER = ("08", "25P", "40", "53", "55006", "55P", "57", "58")
"""Classes that a function meets and does not cause: connections, timeouts, deadlocks, locks, memory, disks, a stop."""

_OF_NO_FUNCTION = ("parallel worker", "remote SQL command: ")
"""Lines of a context that also errors of our own statement have: in another process, of a foreign table."""


def is_raised(error: psycopg.Error) -> bool:
    """Whether a function refused by itself, whatever SQLSTATE it gave as the reason."""
    return error.diag.source_function == _RAISE


def is_within_function(error: psycopg.Error) -> bool:
    """Whether it happened within a function; other contexts have errors of the server.

    Of a connection with log_parameter_max_length_on_error = 0: else any error has a context, with the parameters.
    """
    lines = (error.diag.context or "").splitlines()
    return not all(line.startswith(_OF_NO_FUNCTION) for line in lines)


def is_of_a_row(error: psycopg.Error) -> bool:
    """Whether a row's values are to blame, or a function refused or failed, which it may do for one row only."""
    state = error.sqlstate or ""
    if is_raised(error) or isinstance(error, psycopg.DataError) or state.startswith(_OF_VALUES):
        return True
    return is_within_function(error) and not state.startswith(_OF_THE_SERVER)


def safe_message(error: psycopg.Error) -> str | None:
    """The server's message, unless a function may have put a value into it."""
    return None if is_raised(error) or is_within_function(error) else error.diag.message_primary
