select
    request_id, district_id, object, selection, filter, requested_by, mode, dependencies, on_state_only, report,
    requested_from, requested_at, school_year, request_reason, run_id, state, reason, detail, expected_keys as keys,
    decided_at, outcomes, open_outcomes, failed_outcomes, in_sync_not_itemised, pending_chunks, counts,
    first_decided_at, last_decided_at, decision, decided_by, guard_changes, guard_deletes, planned, parked_keys, linked
from history.requests
where request_id = %(request_id)s
