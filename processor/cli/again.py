"""The commands that ask the same again, as people can paste them."""

import shlex

from processor.core.request import Filter, Request


def command(*words: str) -> str:
    return " ".join(map(shlex.quote, words))


def same_records(name: str, district: str, object_name: str, where: str | None, year: str | None) -> list[str]:
    """The words of `resync verify` or `resync run` for these records."""
    words = ["resync", name, "--district", district, "--object", object_name]
    for option, given in (("--where", where), ("--school-year", year)):
        words += [] if given is None else [option, given]
    return words


def same_request(name: str, request: Request, *options: str) -> str:
    where = request.selection.expression if isinstance(request.selection, Filter) else None
    return command(*same_records(name, request.district_id, request.object, where, request.school_year), *options)
