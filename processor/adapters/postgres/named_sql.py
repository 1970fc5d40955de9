"""SQL in named blocks of .sql files: `-- name: x` begins block x, comment lines above a name belong to no block."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_TRAILING_COMMENTS = re.compile(r"(?:^--.*\n|^\s*\n)+\Z", re.MULTILINE)


@cache
def named_sql(file: str) -> Mapping[str, str]:
    """Blocks of a file in `sql/`."""
    text = (files("processor.adapters.postgres") / "sql" / file).read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    blocks = zip(parts[::2], parts[1::2], strict=True)
    return {name: _TRAILING_COMMENTS.sub("", block).strip() for name, block in blocks}
