"""What a report tells of each key."""

COLUMNS = ("object", "key", "status", "reason", "detail", "changed_fields", "parent_object", "parent_key", "decided_at")
"""For people."""

ALL_COLUMNS = (
    "object",
    "key",
    "asked_as",
    "status",
    "reason",
    "detail",
    "changed_fields",
    "parent_object",
    "parent_key",
    "correction_id",
    "attempt",
    "first_decided_at",
    "sent_at",
    "answered_at",
    "decided_at",
)
