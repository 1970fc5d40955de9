"""Starts one program in a session of its own and prints its pid.

A process of its own, so that what it starts is nobody's child (init reaps it) and outlives the caller.
Reads {argv, env, cwd, log, account} as JSON from standard input; `account` is [uid, gid] or null.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys


def main() -> None:
    order = json.load(sys.stdin)
    uid, gid = order["account"] or (None, None)
    with open(order["log"], "ab") as log:  # noqa: PTH123  (runs without site-packages; pathlib costs start-up time)
        started = subprocess.Popen(
            order["argv"],
            env=order["env"],
            cwd=order["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
        )
    sys.stdout.write(str(started.pid))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
