"""People of a policy, for tests: each has one grant, and the own name as token."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml


def policy_of(people: Mapping[str, Mapping[str, Any]], folder: Path) -> Path:
    """The file of a policy with these people's grants."""
    principals = {
        name: {"tokens": [sha256(name.encode()).hexdigest()], "grants": [dict(grant)]} for name, grant in people.items()
    }
    file = folder / "policy.yaml"
    file.write_text(yaml.safe_dump({"principals": principals}), encoding="utf-8")
    return file
