from dataclasses import fields, replace

import pytest

from processor.core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


@dataclass(slots=True)
class Pen:
    at: Point


def test_it_is_a_value() -> None:
    assert Point(1) == Point(1, 0) != Point(1, 1)
    assert {Point(1), Point(1, 0)} == {Point(1)}
    assert replace(Point(1), y=2) == Point(1, 2)
    assert [field.name for field in fields(Point)] == ["x", "y"]
    assert not hasattr(Point(1), "__dict__")


def test_the_type_checker_refuses_to_change_one() -> None:
    """It also complains of an `ignore` that ignores nothing."""
    point, pen = Point(1), Pen(Point(1))
    point.x = 2  # type: ignore[misc]
    pen.at = point
    assert pen.at.x == 2, "nothing is checked at run time"


def test_what_changes_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Pen(Point(1)))
