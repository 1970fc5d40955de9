"""What a server's plan says about an index, and the statement that makes one."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from processor.adapters.postgres.scan_sql import PageStatements, is_served
from processor.core.catalog import KeyType, Table

SHARED = Table("sis.item", "id", KeyType.INTEGER, "district_id", ZoneInfo("UTC"))
ALONE = Table("item", "id", KeyType.TEXT, None, ZoneInfo("UTC"))


def limit(*below: dict[str, Any]) -> dict[str, Any]:
    return {"Node Type": "Limit", "Plans": [{"Parent Relationship": "Outer", **node} for node in below]}


BY_BOTH = {"Node Type": "Index Scan", "Index Cond": "((district_id = 'D'::text) AND (id > '0'::bigint))"}
BY_KEY = {"Node Type": "Index Scan", "Index Cond": "(id > '0'::bigint)"}


@pytest.mark.parametrize(
    ("plan", "served"),
    [
        (limit(BY_BOTH), True),
        (limit({**BY_BOTH, "Node Type": "Index Only Scan"}), True),
        (limit({**BY_BOTH, "Filter": "(NOT is_deleted)"}), True),
        (limit({**BY_KEY, "Filter": "(district_id = 'D'::text)"}), False),
        (limit({"Node Type": "Sort", "Plans": [BY_BOTH]}), False),
        (limit({"Node Type": "Incremental Sort", "Plans": [BY_BOTH]}), False),
        (limit({"Node Type": "Seq Scan", "Filter": "(id > '0'::bigint)"}), False),
        (limit({**BY_BOTH, "Plans": [{"Node Type": "Seq Scan", "Parent Relationship": "SubPlan"}]}), True),
        (limit({"Node Type": "Merge Append", "Plans": [BY_BOTH, {"Node Type": "Seq Scan"}]}), False),
    ],
)
def test_an_index_serves_where_it_gives_the_order_and_no_other_rows(plan: dict[str, Any], *, served: bool) -> None:
    assert is_served(plan, SHARED) is served


@pytest.mark.parametrize(
    ("table", "order", "statement"),
    [
        (SHARED, KeyType.INTEGER, 'CREATE INDEX CONCURRENTLY ON "sis"."item" ("district_id", "id")'),
        (SHARED, KeyType.TEXT, 'CREATE INDEX CONCURRENTLY ON "sis"."item" ("district_id", ("id"::text) COLLATE "C")'),
        (ALONE, KeyType.TEXT, 'CREATE INDEX CONCURRENTLY ON "item" (("id"::text) COLLATE "C")'),
        (ALONE, KeyType.UUID, 'CREATE INDEX CONCURRENTLY ON "item" ("id")'),
    ],
)
def test_the_statement_makes_what_the_reads_need(table: Table, order: KeyType, statement: str) -> None:
    assert PageStatements(table, [], order).index == statement
