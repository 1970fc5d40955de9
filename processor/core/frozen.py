"""Dataclasses that nobody changes, made by the thousand.

The type checker takes them for what they say. At run time `frozen` gives them their hash alone: Python's own check
calls a function for each field of each new one, which takes three times as long (ADR 0231).
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool = False) -> Callable[[type], type]:
        return dataclasses.dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["dataclass"]
