"""Options that the commands have in common by which somebody asks for something, and what these mean."""

import uuid
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from processor.cli.exits import UsageError
from processor.cli.output import say
from processor.cli.person import Person
from processor.cli.requests import text_option
from processor.core.ids import is_request_id
from processor.core.request import All, Dependencies, Filter, OnStateOnly, Request, Side

if TYPE_CHECKING:
    from processor.core.catalog import Catalog
    from processor.settings import Settings

DISTRICT = typer.Option("--district", "-d", help="The district, as the catalog names it.")
OBJECT = typer.Option("--object", help="The object, such as PersonIdentity.")
Where: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--where",
        "-w",
        metavar="FILTER",
        help="All records that are like this, such as \"grade in ('11', '12')\" (docs/filters.md).",
    ),
]
SchoolYear: TypeAlias = Annotated[
    str | None, typer.Option("--school-year", metavar="YEAR", help="Within this school year only; it has to be open.")
]
Related: TypeAlias = Annotated[
    Dependencies,
    typer.Option(
        "--dependencies",
        metavar="[none|parents|children|all]",
        case_sensitive=False,
        show_default="none",
        help="Which related records go along.",
    ),
]
StateOnly: TypeAlias = Annotated[
    OnStateOnly,
    typer.Option(
        "--on-state-only",
        metavar="[report|delete]",
        case_sensitive=False,
        show_default="report",
        help="What becomes of records that only the state has.",
    ),
]
OnBehalf: TypeAlias = Annotated[
    Side | None,
    typer.Option(
        "--side",
        metavar="[district|state]",
        case_sensitive=False,
        help="On whose behalf; without it the side that the policy gives you, else the district's.",
    ),
]
Why: TypeAlias = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why, for those who read the history.")
]


def id_option(option: str, given: str | None) -> str:
    """In lower case; drawn where it was not given. Raises UsageError."""
    if given is None:
        return str(uuid.uuid4())
    if not is_request_id(given):
        raise UsageError(f"{option}: a uuid is needed, 8-4-4-4-12 hexadecimal digits")
    return given.lower()


def optional_text(option: str, given: str | None) -> str | None:
    """Raises UsageError for a text that no request can carry."""
    return None if given is None else text_option(option, given)


def year_option(given: str | None) -> str | None:
    """Raises UsageError for what is no year."""
    if given is not None and not (given.strip().isascii() and given.strip().isdigit()):
        raise UsageError("--school-year: a year in digits is needed, such as 2027")
    return optional_text("--school-year", given)


def all_or(where: str | None) -> All | Filter:
    """All records, or those that a filter matches. Raises UsageError."""
    return All() if where is None else Filter(text_option("--where", where))


def catalog_or_warning(settings: "Settings") -> "Catalog | None":
    """None where there is no file; where it has mistakes this is said, for then nothing is checked here."""
    from processor.catalog_file import CatalogError
    from processor.cli import parts

    if not settings.catalog.is_file():
        return None
    try:
        return parts.open_catalog(settings)
    except CatalogError as fault:
        say(f"warning: nothing was checked, the catalog has mistakes: {fault}")
        return None


def check_asked(settings: "Settings", person: Person, request: Request, catalog: "Catalog | None") -> None:
    """Says early what the processor will say, which decides by a catalog of its own.

    Raises NotAuthorized, UsageError for a name that the catalog lacks, and of a filter what `chosen` raises.
    """
    from processor.cli.known_names import check_known
    from processor.cli.parts import NO_OBJECTS

    person.check_request(settings.topics.requests, request, catalog or NO_OBJECTS)
    if catalog is not None:
        check_known(catalog, request.district_id, request.object)
    if request.where is not None or request.school_year is not None:
        _check_chosen(person, request, catalog)


def _check_chosen(person: Person, request: Request, catalog: "Catalog | None") -> None:
    """A filter tells by what it finds what fields hold, so it needs the right to see that (ADR 0213)."""
    where = request.where
    kind = None if catalog is None else catalog.objects.get(request.object)
    if catalog is None or kind is None:
        if where is not None and person.known is not None:
            raise UsageError(
                "--where: RESYNC_CATALOG has to be here and have the object, to say whose values the filter tells of"
            )
        return
    from processor.core.chosen import chosen
    from processor.core.condition import leaves

    found = chosen(where, request.school_year, kind, catalog) or {}
    if where is not None:
        named = {test.operand.kind.name for condition in found.values() for test in leaves(condition)}
        person.check_values(request.district_id, sorted(named))
