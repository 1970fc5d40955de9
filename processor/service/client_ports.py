"""What those who ask need from the outside (the command line, later the API), and the faults these may raise."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from processor.core.model import Request


class Unreachable(Exception):
    """A part of the service gave no answer. The message names it and says what to check."""


class NotSetUp(Exception):
    """A part answered, but has not been prepared for this. The message says what to run or to set."""


Row: TypeAlias = Mapping[str, Any]
"""A row of a public view, by column."""


class RequestPublisher(Protocol):
    def publish(self, requests: Sequence[Request]) -> None:
        """Returns once the broker has all of them. Raises Unreachable; some may then have been taken."""
