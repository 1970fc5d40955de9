"""^C while services start."""

import os
import subprocess
import sys
from pathlib import Path

from stack import process
from stack.layout import REPO, Stack

UP = """
import os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stack import cli, process, services

def start_all(stack, say):
    process.spawn(stack, "never-ready", ["sleep", "60"], env=dict(os.environ), cwd=Path("/"))
    with ThreadPoolExecutor() as pool:
        pool.submit(process.await_ready, stack, "never-ready", lambda: False, 30)
        os.kill(os.getpid(), signal.SIGINT)

services.start_all = start_all
sys.exit(cli.main())
"""


def test_an_interrupt_waits_for_no_service_and_loses_none(tmp_path: Path) -> None:
    stack = Stack.at(tmp_path)
    try:
        done = subprocess.run(
            [sys.executable, "-c", UP, "--dir", str(tmp_path), "up"],
            env=dict(os.environ), cwd=REPO, capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip
        assert done.returncode == 130
        assert done.stderr.endswith("make down stops what runs\n")
        assert done.stderr.count("\n") == 1
        assert process.find(stack, "never-ready") is not None
    finally:
        assert process.stop(stack, "never-ready")
