"""Examples that are said to be short are."""

import pytest

from stack.layout import REPO

NO_CODE = ("#", '"""', "import ", "from ")


@pytest.mark.parametrize(("name", "most"), [("publish.py", 20), ("foreign_applier.py", 60)])
def test_an_example_is_as_short_as_it_is_said_to_be(name: str, most: int) -> None:
    """Lines of code, without imports."""
    lines = (line.strip() for line in (REPO / "docs" / "examples" / name).read_text(encoding="utf-8").splitlines())
    assert len([line for line in lines if line and not line.startswith(NO_CODE)]) <= most
