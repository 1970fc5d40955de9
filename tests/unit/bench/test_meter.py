"""CPU time of a process and of all that came of it."""

import os
import subprocess
import sys

from bench.meter import Process, family, peak_rss_mb, processes, read, spent_s

WORK = "x = 0\nfor i in range(6_000_000): x += i\n"


def test_a_process_whose_name_holds_anything() -> None:
    status = "42 (a) b (c) S 7 42 42 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 1 0 500 1000 10\n"
    assert read(status) == Process(parent=7, ticks=110)


def test_children_and_their_children_count() -> None:
    seen = {1: Process(0, 1_000), 5: Process(1, 10), 6: Process(5, 20), 7: Process(6, 30), 8: Process(1, 40)}
    assert spent_s(5, seen) == 60 / os.sysconf("SC_CLK_TCK")
    assert spent_s(99, seen) == 0


def test_what_has_ended_is_no_part_of_a_family() -> None:
    seen = {5: Process(1, 10), 6: Process(5, 20), 7: Process(6, 30), 8: Process(1, 40)}
    assert family([5, 99], seen) == {5, 6, 7}


def test_a_child_that_has_ended_counts_once_it_was_waited_for() -> None:
    before = spent_s(os.getpid(), processes())
    subprocess.run([sys.executable, "-c", WORK], check=True)
    assert spent_s(os.getpid(), processes()) - before >= 0.1


def test_peak_memory_of_a_running_process() -> None:
    assert peak_rss_mb(os.getpid()) > 10
