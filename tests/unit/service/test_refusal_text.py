import pytest

from processor.service.refusal_text import refusal_text


@pytest.mark.parametrize(
    ("sqlstate", "fields", "text"),
    [
        ("22001", "phone", "phone: too long for the state's column (22001)"),
        ("22003", None, "beyond what the state's column holds (22003)"),
        ("23502", "lastName", "lastName: the state's column needs a value (23502)"),
        ("XX999", "phone", "phone: refused by the state (XX999)"),
    ],
)
def test_a_refusal_is_told_in_words_with_its_sqlstate(sqlstate: str, fields: str | None, text: str) -> None:
    assert refusal_text(sqlstate, fields) == text
