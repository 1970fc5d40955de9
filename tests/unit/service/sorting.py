"""A batch as it is sorted, and what tests of that begin with."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from processor.codec.codec import Codec
from processor.core.catalog import Catalog
from processor.core.correction import Answer, Result
from processor.core.history import RequestState, RequestStatus
from processor.core.partition import partition_of
from processor.core.plan import Plan
from processor.service.intake import Intake
from processor.service.sorter import Sorter
from processor.service.work import Poison, Work
from tests.unit.codec.records import CATALOG as SHIPPED
from tests.unit.core.builders import CATALOG, NOW, World, chunk, ours
from tests.unit.service.received import PARTITIONS

OTHER_ID = "7e0f9f7c-32c5-4d7f-8f0e-2d0f3b0c9a10"
NORTH = partition_of("NORTH", PARTITIONS)
CODEC = Codec.open(None, SHIPPED)
(CORRECTION,) = World({("Person", "7"): (ours(),)}).decide(chunk("7")).corrections


def sort(*batch: Work | Poison, known: Collection[bytes] = (), of: Catalog = CATALOG) -> Intake:
    return Sorter(of, PARTITIONS, known).sort(batch, NOW)


def answer(result: Result, **source: Any) -> Answer:
    return Answer(replace(CORRECTION.source, **source), result, None, NOW)


def states(plan: Plan) -> list[RequestState]:
    return [record.state for record in plan.history if isinstance(record, RequestStatus)]
