import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from processor.logs import log_as_json, log_as_text


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_every_line_is_json_with_the_roles_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log_as_json({"role": "process", "ordinal": 0})
    structlog.get_logger("a").info("started", partitions=6)
    logging.getLogger("b").warning("from %s", "a library")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["level"], line["role"]) for line in lines] == [
        ("started", "info", "process"),
        ("from a library", "warning", "process"),
    ]
    assert lines[0]["partitions"] == 6


def test_an_exception_tells_its_kind_and_place_but_not_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    log_as_json({})
    try:
        try:
            int("Garcia")
        except ValueError as fault:
            raise KeyError("Garcia") from fault
    except KeyError:
        structlog.get_logger("a").exception("failed")
        logging.getLogger("b").exception("failed")
    err = capsys.readouterr().err
    assert "Garcia" not in err.replace('int(\\"Garcia\\")', "")
    for line in map(json.loads, err.splitlines()):
        assert line["exception"] == ["KeyError", "ValueError"]
        assert "test_logs.py" in line["at"][0]


def test_people_see_warnings_as_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log_as_text()
    structlog.get_logger("a").info("quiet")
    structlog.get_logger("a").warning("record skipped", offset=7)
    assert capsys.readouterr().err == 'level=warning event="record skipped" offset=7\n'
