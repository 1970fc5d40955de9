from bench.figures import rows


def test_a_figure_for_people() -> None:
    memory = {"process": 160.4, "apply": 90.0}
    backlog = {"scenario": "backlog", "keys": 200_000, "keys_per_request": 100, "keys_per_s": 9_876, "kept_s": 41.2}
    assert list(rows({**backlog, "peak_rss_mb": memory})) == [
        (
            "200,000 keys in requests of 100",
            "9,876 keys/s, all of it kept after 41 s",
            "process 160, apply 90",
        )
    ]
    recovered = {"process": {"min": 1.0, "median": 1.25, "max": 2.0}, "store": {"min": 0.5, "median": 0.6, "max": 0.7}}
    recovery = {"scenario": "recovery", "kills_per_role": 10, "recovered_s": recovered, "idle_lag": 0}
    assert list(rows({**recovery, "peak_rss_mb": memory})) == [
        ("process after 10 kills", "min 1.0, median 1.2, max 2.0 s", "process 160, apply 90"),
        ("store after 10 kills", "min 0.5, median 0.6, max 0.7 s", ""),
        ("lag of all groups when idle", "0", ""),
    ]
