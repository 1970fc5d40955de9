from pathlib import Path

from stack.testing import folder_in_memory


def test_a_stack_lies_in_memory_only_where_there_is_room(tmp_path: Path) -> None:
    assert folder_in_memory(tmp_path, 0) == tmp_path
    assert folder_in_memory(tmp_path, 1 << 60) is None
    assert folder_in_memory(tmp_path / "none", 0) is None
