"""The commands that ask the same again, as people can paste them."""

import shlex

from processor.core.request import Request


def command(*words: str) -> str:
    return " ".join(map(shlex.quote, words))


def same_records(name: str, district: str, object_name: str, where: str | None, year: str | None) -> list[str]:
    """The words of `resync verify`, `run` or `submit` for these records; `submit` has to be told that all are meant."""
    words = ["resync", name, "--district", district, "--object", object_name]
    words += ["--all"] if name == "submit" and where is None else []
    for option, given in (("--where", where), ("--school-year", year)):
        words += [] if given is None else [option, given]
    return words


def same_request(name: str, request: Request, *options: str) -> str:
    words = same_records(name, request.district_id, request.object, request.where, request.school_year)
    return command(*words, *options)
