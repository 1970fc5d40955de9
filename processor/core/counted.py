"""Numbers of things in sentences."""


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 record`, `2 records`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
