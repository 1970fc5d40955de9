"""Names that a person gave, held against the catalog where there is one at hand.

What is asked for is refused. Of what the history is asked for nothing is refused: it may have districts and objects
that the catalog had once.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from processor.cli.exits import UsageError
from processor.cli.output import say
from processor.core.printable import printable

if TYPE_CHECKING:
    from processor.core.catalog import Catalog
    from processor.settings import Settings


def catalog_at_hand(settings: "Settings") -> "Catalog | None":
    """None where there is no file, or one with mistakes."""
    from processor.catalog_file import CatalogError
    from processor.cli import parts

    if not settings.catalog.is_file():
        return None
    try:
        return parts.open_catalog(settings)
    except CatalogError:
        return None


def check_known(catalog: "Catalog", district: str, object_name: str) -> None:
    """To be called once it is known that the person may ask for this district: the others are listed.

    Raises UsageError.
    """
    for what, name, known in (("district", district, catalog.districts), ("object", object_name, catalog.objects)):
        if name not in known:
            raise UsageError(f"the catalog has no {what} {printable(name)}; it has {', '.join(sorted(known))}")


def warn_of_unknown(settings: "Settings", *, district: str | None = None, objects: Sequence[str | None] = ()) -> None:
    """Of what is None nothing is said. Other districts are not listed: not everybody may know them."""
    named = [name for name in objects if name is not None]
    if district is None and not named:
        return
    catalog = catalog_at_hand(settings)
    if catalog is None:
        return
    if district is not None and district not in catalog.districts:
        say(f"warning: the catalog has no district {printable(district)}")
    for name in named:
        if name not in catalog.objects:
            known = ", ".join(sorted(catalog.objects))
            say(f"warning: the catalog has no object {printable(name)}; it has {known}")
