"""How many keys a batch of the processor may have: by the settings, and by the widest object (ADR 0253)."""

import pytest

from processor.bootstrap.process import batch_limits
from processor.core.catalog import ObjectType
from processor.core.pace import KEYS_AT_ONCE
from processor.settings import Settings
from tests.unit.core.builders import PERSON, catalog, object_type, spec

WIDE = object_type("Wide", [spec(f"field{number}") for number in range(200)])


@pytest.mark.parametrize(
    ("objects", "configured", "most"),
    [
        pytest.param([PERSON], 20_000, 20_000, id="as configured, where rows are narrow"),
        pytest.param([PERSON, WIDE], 20_000, KEYS_AT_ONCE, id="fewer where those of one object are wide"),
        pytest.param([PERSON, WIDE], 1_000, 1_000, id="never more than configured"),
    ],
)
def test_a_batch_has_fewer_keys_where_an_object_has_very_many_columns(
    objects: list[ObjectType], configured: int, most: int
) -> None:
    assert batch_limits(Settings(batch_max_keys=configured), catalog(*objects)).max_keys == most
