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


def test_waiting_beside_a_batch_is_told_as_a_ratio_to_waiting_when_idle() -> None:
    def district(busy_ms: float) -> dict[str, dict[str, float]]:
        return {
            "idle": {"requests": 1_000, "p50_ms": 10.0, "p99_ms": 20.0},
            "busy": {"requests": 2_000, "p50_ms": busy_ms, "p99_ms": 3 * busy_ms},
            "ratio": {"p50": busy_ms / 10, "p99": 3 * busy_ms / 20},
        }

    figure = {
        "scenario": "beside",
        "rows_a_side": 1_000_000,
        "batch_s": 45.6,
        "districts": {"same": district(12.0), "other": district(11.0)},
        "peak_rss_mb": {"process": 110.0},
    }
    assert list(rows(figure)) == [
        (
            "the same while 1,000,000 rows are verified, same district",
            "p50 12.0 ms, p99 36.0 ms: 1.2 and 1.8 times 10.0 and 20.0 ms when idle",
            "process 110",
        ),
        (
            "the same while 1,000,000 rows are verified, other district",
            "p50 11.0 ms, p99 33.0 ms: 1.1 and 1.65 times 10.0 and 20.0 ms when idle",
            "",
        ),
        ("that verification", "45.6 s", ""),
    ]


def test_a_whole_object_for_people() -> None:
    times = {"verified_s": 8.1, "resynced_s": 12.5, "keys_per_s": 4_000, "verified_again_s": 2.2}
    whole = {"scenario": "whole", "rows_a_side": 50_000, "changes": 1_500, **times, "peak_rss_mb": {"process": 99.6}}
    told = "verified in 8.1 s, resynced in 12.5 s (4,000 keys/s), equal in 2.2 s"
    assert list(rows(whole)) == [("50,000 rows a side, 1,500 off", told, "process 100")]
