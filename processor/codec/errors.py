"""What can go wrong between bytes and records. No message repeats a field's value."""

from processor.core.errors import CoreError, Reason


class DecodeError(CoreError):
    """Bytes that can never become a record here: reading them again changes nothing, so they are set aside."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class RegistryUnavailable(Exception):
    """The schema registry gave no usable answer. Says nothing about the record: try again, never set it aside."""


class NotRegistered(Exception):
    """The registry does not hold a schema of this release under its subject; roles do not register by themselves."""


class IncompatibleSchema(Exception):
    """The registry refused a schema because readers or writers of an earlier one would break."""


class NotCompiled(Exception):
    """A schema has a type that no reader or writer is made of: fastavro is to do it."""
