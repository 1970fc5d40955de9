"""Runs in the environment of the peers: reladiff's hashdiff of two tables, as an order on standard input says.

Prints the keys of all rows that it finds on one side only, or different, as a JSON list.
"""

import json
import sys
from typing import Any

import reladiff


def main() -> None:
    order = json.load(sys.stdin)
    threads = order["threads"]
    found = reladiff.diff_tables(
        *(segment(side, order["columns"], threads) for side in order["sides"]),
        algorithm=reladiff.Algorithm.HASHDIFF,
        max_threadpool_size=2 * threads,  # what its command takes, and its documentation asks for
        bisection_threshold=order["bisection_threshold"],
    )
    json.dump(sorted({int(row[0]) for _, row in found}), sys.stdout)


def segment(side: dict[str, str], columns: list[str], threads: int) -> Any:  # noqa: ANN401  (a class of the peer's)
    where = side.get("where")
    return reladiff.connect_to_table(
        side["dsn"], side["table"], side["key"], threads, extra_columns=tuple(columns), where=where
    )


if __name__ == "__main__":
    main()
