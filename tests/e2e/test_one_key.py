"""Many requests for one record that does not keep still."""

from time import sleep

from tests.e2e.deployment import Deployment
from tests.e2e.editor import Editor
from tests.e2e.people import assert_same, persons
from tests.e2e.promises import prove


def test_fifty_requests_for_one_key_that_is_being_edited(running: Deployment) -> None:
    [key] = running.take_keys(1)
    persons(running, "NORTH", [key])
    with Editor(running.dsns["NORTH"], key) as editor:
        asked = []
        for _ in range(50):
            asked.append(running.submit("NORTH", "PersonIdentity", [key]))
            sleep(0.02)
        running.watcher.until_ended(asked, 60)
    assert editor.edits > 100
    assert {running.watcher.story(r).last(key).status for r in asked} <= {"APPLIED", "IN_SYNC"}
    asked += [running.submit("NORTH", "PersonIdentity", [key])]
    running.watcher.until_ended(asked)
    assert_same(running, "NORTH", [key])
    prove(running, asked)
    query = "select mark from audit where key = %s order by seq"
    marks = [mark for (mark,) in running.rows("state", query, [str(key)])]
    assert len(marks) > 1
    assert marks == sorted(marks), "a correction made the state older"
