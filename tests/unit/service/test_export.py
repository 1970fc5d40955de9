from processor.core.history import RequestState, RequestStatus
from processor.core.ids import request_key
from processor.service.export import COLUMNS, row_of
from processor.service.history_changes import RawRecord
from tests.unit.core.builders import NOW, REQUEST_ID, request


def test_a_symbol_that_was_not_understood_is_told_as_unknown() -> None:
    """And not as what stands for it where nothing may be done by it."""
    status = RequestStatus(request(not_understood=("mode",)), RequestState.REJECTED, None, None, 0, NOW)
    row = row_of(RawRecord(0, 7, request_key(REQUEST_ID).encode(), b"any"), lambda _data: status)
    assert (row["mode"], row["dependencies"]) == ("UNKNOWN", "NONE")
    assert set(row) <= set(COLUMNS)
