from __future__ import annotations


class StackError(Exception):
    """The stack cannot do what was asked; the message says what happened and what to do."""


class ServiceFailedError(StackError):
    """A process ended or did not become ready; the message ends with the tail of its log."""
