"""All rows of the smaller district verified, resynced, and verified again: what a whole object takes, in small."""

from bench.checksum import check_equal
from bench.figures import Figure
from bench.planted import Planted, three_percent
from bench.whole import resync, verify
from bench.world import OTHER, ROLES, World
from processor.cli.progress import counting


def whole_in_small(world: World) -> Figure:
    """Raises WrongCount where one of the three finds anything but what was planted, or both sides differ at the end."""
    with world.run() as run, counting("whole object: steps") as show:
        planted = three_percent(run, OTHER)
        run.start(*ROLES)
        found = verify(run, planted, OTHER)
        show(1, 3)
        done = resync(run, planted, OTHER)
        show(2, 3)
        check_equal(run, OTHER)
        again = verify(run, Planted(planted.rows), OTHER)
        run.stop(*ROLES)
    return {
        "scenario": "whole",
        "rows_a_side": planted.rows,
        "changes": planted.off,
        "verified_s": round(found.seconds, 1),
        "resynced_s": round(done.seconds, 1),
        "keys_per_s": round(planted.rows / done.seconds),
        "verified_again_s": round(again.seconds, 1),
        "peak_rss_mb": run.peak_rss_mb,
    }
