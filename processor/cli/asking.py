"""Options that the commands have in common by which somebody asks for something, and what these mean."""

import uuid
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from processor.cli.exits import UsageError
from processor.cli.known_names import catalog_at_hand
from processor.cli.output import say
from processor.cli.person import Person
from processor.cli.requests import text_option
from processor.core.ids import is_request_id
from processor.core.request import All, Dependencies, Filter, OnStateOnly, Request, Selection, Side

if TYPE_CHECKING:
    from processor.core.catalog import Catalog
    from processor.settings import Settings

DistrictOption: TypeAlias = Annotated[
    str, typer.Option("--district", "-d", help="The district, as the catalog names it.")
]
ObjectOption: TypeAlias = Annotated[str, typer.Option("--object", help="The object, such as PersonIdentity.")]
WhereOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--where",
        "-w",
        metavar="FILTER",
        help="Only records like this, such as \"grade in ('11', '12')\" (docs/filters.md).",
    ),
]
YearOption: TypeAlias = Annotated[
    str | None, typer.Option("--school-year", metavar="YEAR", help="Within this school year only; it has to be open.")
]
DependenciesOption: TypeAlias = Annotated[
    Dependencies,
    typer.Option(
        metavar="[none|parents|children|all]",
        case_sensitive=False,
        show_default="none",
        help="Which related records go along.",
    ),
]
OnStateOnlyOption: TypeAlias = Annotated[
    OnStateOnly,
    typer.Option(
        metavar="[report|delete]",
        case_sensitive=False,
        show_default="report",
        help="What becomes of records that only the state has.",
    ),
]
SideOption: TypeAlias = Annotated[
    Side | None,
    typer.Option(
        metavar="[district|state]",
        case_sensitive=False,
        help="On whose behalf; without it the side that the policy gives you, else the district's.",
    ),
]
ReasonOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Why, for those who read the history.")
]


def id_option(option: str, given: str | None) -> str:
    """In lower case; drawn where it was not given. Raises UsageError."""
    if given is None:
        return str(uuid.uuid4())
    if not is_request_id(given):
        raise UsageError(f"{option}: a uuid is needed, 8-4-4-4-12 hexadecimal digits")
    return given.lower()


def selected(where: str | None) -> Selection:
    """All records, or those that a filter matches. Raises UsageError for a text that no request can carry."""
    return All() if where is None else Filter(text_option("--where", where))


def asked_from(side: Side | None, person: Person) -> Side:
    return side or person.side()


def check_selection(settings: "Settings", person: Person, request: Request) -> None:
    """Says early what the processor will say, which decides by a catalog of its own. Raises as `chosen` does.

    A filter tells of what fields hold by what it finds, so it asks for the right to see that (ADR 0213).
    """
    catalog = catalog_at_hand(settings)
    where = request.selection.expression if isinstance(request.selection, Filter) else None
    if where is None and request.school_year is None:
        return
    if catalog is None or request.object not in catalog.objects:
        say("warning: the filter and the school year were not checked: no catalog here has the object")
        return
    _check_chosen(person, request, where, catalog)


def _check_chosen(person: Person, request: Request, where: str | None, catalog: "Catalog") -> None:
    from processor.core.chosen import chosen
    from processor.core.condition import leaves

    found = chosen(where, request.school_year, catalog.objects[request.object], catalog) or {}
    told = {test.operand.kind.name for condition in found.values() for test in leaves(condition)}
    if where is not None:
        person.check_values(request.district_id, sorted(told))
