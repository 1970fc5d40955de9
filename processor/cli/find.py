"""`resync find`: the records of one district that a filter matches, by key and name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from processor.cli.asking import year_option
from processor.cli.keys import STDIN, write_keys
from processor.cli.known_names import check_known
from processor.cli.output import Output, print_keys, print_rows, say
from processor.core.request import Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.adapters.postgres.finder import Found
    from processor.core.catalog import Catalog, ObjectType
    from processor.core.condition import Condition

COLUMNS = ("key", "last_name", "first_name")
MAX_LIMIT = 100_000


def find(
    district: Annotated[str, typer.Argument(metavar="DISTRICT", help="The district, as the catalog names it.")],
    object_name: Annotated[str, typer.Argument(metavar="OBJECT", help="The object, such as PersonIdentity.")],
    *,
    where: Annotated[
        str, typer.Option("--where", "-w", metavar="FILTER", help="Which records, such as \"grade in ('11', '12')\".")
    ],
    school_year: Annotated[
        str | None, typer.Option(metavar="YEAR", help="Within this school year only; it has to be open.")
    ] = None,
    side: Annotated[
        Side, typer.Option(metavar="[district|state]", case_sensitive=False, help="Whose database is looked at.")
    ] = Side.DISTRICT,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="At most so many.")] = 100,
    keys_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the keys to this file, for submit --file; - prints them alone."),
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How long the database may take.")] = 30.0,
    output: Annotated[Output, typer.Option("--output", "--format", "-o", help="Form of the result.")] = Output.TABLE,
) -> None:
    """List the records that a filter matches, in the order of their keys, with last and first name.

    For those who may see values of the object. Filters: docs/filters.md.
    """
    from processor.cli import parts
    from processor.cli.person import identified
    from processor.core.selection import names_of_person
    from processor.settings import load_settings

    school_year = year_option(school_year)
    settings = load_settings()
    person = identified(settings)
    person.check_values(district, [object_name])
    catalog = parts.open_catalog(settings)
    check_known(catalog, district, object_name)
    kind = catalog.objects[object_name]
    condition = _condition(catalog, kind, where, school_year, side)
    person.check_values(district, _objects(condition))
    names = names_of_person(kind, catalog, side)
    hidden = {n.kind.name for n in names if n is not None and not person.may_see_values(district, n.kind.name)}
    with parts.open_finder(settings, catalog, district, side, timeout) as finder:
        found = finder.find(kind, condition, (None, None) if hidden else names, limit + 1)
    _write(found[:limit], keys_file, output)
    if hidden:
        say(f"names are left out: you may not see values of {', '.join(sorted(hidden))} here")
    if len(found) > limit:
        say(f"there are more than these {limit}: raise --limit (at most {MAX_LIMIT}) or narrow the filter")
    elif not found:
        say("nothing matches")


def _condition(catalog: "Catalog", kind: "ObjectType", where: str, school_year: str | None, side: Side) -> "Condition":
    from processor.core.selection import in_year, select

    condition = select(where, kind, catalog, [side])
    return condition if school_year is None else in_year(condition, school_year, kind, catalog, side)


def _objects(condition: "Condition") -> list[str]:
    """Whose values the condition tells of."""
    from processor.core.condition import leaves

    return sorted({test.operand.kind.name for test in leaves(condition)})


def _write(found: "Sequence[Found]", keys_file: Path | None, output: Output) -> None:
    keys = list(dict.fromkeys(each.key for each in found))
    if keys_file is not None and str(keys_file) == STDIN:
        print_keys(keys)
        return
    if keys_file is not None:
        write_keys(keys_file, keys)
    print_rows(output, COLUMNS, [dict(zip(COLUMNS, (each.key, *each.shown), strict=True)) for each in found])
