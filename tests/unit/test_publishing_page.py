"""docs/publishing.md shows its examples whole, as the files say that are tested."""

import json
import re

import pytest

from stack.layout import REPO

EXAMPLES = REPO / "docs" / "examples"
PAGE = (REPO / "docs" / "publishing.md").read_text(encoding="utf-8")
SHOWN = re.compile(r"^<!-- examples/(\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["publish.py", "Publish.java", "publish.sh"])
def test_the_page_shows_the_file(name: str) -> None:
    shown = dict(SHOWN.findall(PAGE))
    assert shown.get(name) == (EXAMPLES / name).read_text(encoding="utf-8"), (
        f"docs/publishing.md and docs/examples/{name} differ: copy the file into the page"
    )


def test_what_is_typed_uses_no_variable_that_the_page_does_not_set() -> None:
    """What the page shows of files stands behind a comment with their names."""
    typed = "\n".join(re.findall(r"^```sh\n(.*?)^```$", SHOWN.sub("", PAGE), re.MULTILINE | re.DOTALL))
    assert set(re.findall(r"\$\{?([A-Za-z_]+)", typed)) == {"JARS"}
    assert set(re.findall(r"^([A-Za-z_]+)=\$\(", typed, re.MULTILINE)) == {"JARS"}


def test_the_bytes_written_by_hand_are_of_a_released_schema() -> None:
    script = (EXAMPLES / "publish.sh").read_text(encoding="utf-8")
    [written] = re.findall(r"printf '\\xc3\\x01((?:\\x[0-9a-f]{2}){8})'", script)
    little_endian = bytes.fromhex(written.replace("\\x", ""))
    archived = REPO / "schemas" / "archive" / f"{little_endian[::-1].hex()}.avsc"
    assert json.loads(archived.read_text(encoding="utf-8"))["name"] == "ResyncRequest"
