"""What those who ask need from the outside (the command line, later the API), and the faults these may raise."""

from collections.abc import Mapping
from typing import Any, TypeAlias


class Unreachable(Exception):
    """A part of the service gave no answer. The message names it and says what to check."""


class NotSetUp(Exception):
    """A part answered, but has not been prepared for this. The message says what to run or to set."""


Row: TypeAlias = Mapping[str, Any]
"""A row of a public view, by column."""
