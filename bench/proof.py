"""What must be true at the end of a run before any figure of it is given."""

from bench.lag import assert_idle
from bench.traffic import Planted, Tail, compare
from bench.world import ROLES, Run


def prove(run: Run, tail: Tail, planted: Planted) -> None:
    """All roles are idle, and the topics and the tables hold what was planted; reads the topics to their ends.

    Raises WrongCount.
    """
    assert_idle(run.settings, ROLES)
    compare(tail.count(), planted.done(), "on the topics")
    compare(run.kept(), planted.kept(), "in the tables")
