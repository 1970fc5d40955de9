"""Digest lookups alone: a digest of each key's row from both databases, by a connection each, without Kafka.

`python -m bench.floors.lookups ORDERS`. Says `ready` once both connections have looked once, begins when it is given a
line on standard input, and then prints how long it took and how many digests were equal, as JSON.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

DIGESTS = sql.SQL("select {key}, {digest} from {table} where {where} and {key} = any(%s::text::bigint[])")


class Side:
    """One database: answers with digests by key, of as many keys at a time as it is given."""

    def __init__(self, table: Mapping[str, Any], district_id: str, digest: LiteralString) -> None:
        self._connection = psycopg.connect(table["dsn"], autocommit=True)
        column = table["district_column"]
        self._asked = DIGESTS.format(
            key=sql.Identifier(table["key"]),
            digest=sql.SQL(digest),
            table=sql.Identifier(table["name"]),
            where=sql.SQL("{} = {}").format(sql.Identifier(column), district_id) if column else sql.SQL("true"),
        )

    def look(self, batches: Sequence[str]) -> list[tuple[int, int]]:
        """`batches` are array literals."""
        found: list[tuple[int, int]] = []
        with self._connection.cursor(binary=True) as cursor:
            for batch in batches:
                found += cursor.execute(self._asked, (batch,), prepare=True).fetchall()
        return found


def main() -> None:
    orders = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sides = sides_of(orders)
    batches = literals(orders["keys"], orders["transaction_keys"])
    with ThreadPoolExecutor(len(sides)) as threads:

        def look(batches: Sequence[str]) -> list[list[tuple[int, int]]]:
            return list(threads.map(lambda side: side.look(batches), sides))

        look(literals(orders["warm_keys"], orders["transaction_keys"]))
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.monotonic()
        district, state = map(dict, look(batches))
        took = time.monotonic() - began
    equal = sum(1 for key, digest in district.items() if state.get(key) == digest)
    told = {"seconds": took, "equal": equal, "missing": len(district) - len(state), "rows": len(district)}
    print(json.dumps(told), flush=True)
    sys.stdin.readline()


def sides_of(orders: dict[str, Any]) -> list[Side]:
    """Of one district: raises ValueError where there are several."""
    [district] = orders["districts"]
    return [Side(table, district["id"], orders["digest"]) for table in (district["table"], orders["state"])]


def literals(keys: Sequence[int], size: int) -> list[str]:
    """Sorted within a batch, so that keys of one page are looked up one after the other."""
    parts = [sorted(keys[start : start + size]) for start in range(0, len(keys), size)]
    return [f"{{{','.join(map(str, part))}}}" for part in parts]


if __name__ == "__main__":
    main()
