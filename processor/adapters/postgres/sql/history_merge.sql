-- A batch into the tables: one row a key, the last record's. Rows of a cleared request are no exception: the views hide
-- them, and they go as their tombstones are read. Each block is named for what has to be staged for it; they are carried
-- out in this order.

-- name: clearings
insert into clearings (request_id, district_id, object, cleared_by, cleared_at, outcomes, scope)
select request_id, district_id, object, cleared_by, cleared_at, outcomes, scope from batch_clearings
on conflict (request_id) do update set
    (district_id, object, cleared_by, cleared_at, outcomes, scope)
    = (excluded.district_id, excluded.object, excluded.cleared_by, excluded.cleared_at, excluded.outcomes, excluded.scope);

-- name: gone
delete from requests t using batch_gone b
where t.request_id = b.request_id and b.object is null and b.chunk is null and b.held is null;
delete from chunks t using batch_gone b where t.request_id = b.request_id and t.chunk = b.chunk;
delete from parked t using batch_gone b where t.request_id = b.request_id and t.chunk = b.held;
delete from outcomes t using batch_gone b where t.request_id = b.request_id and t.object = b.object and t.key = b.key;

-- name: requests
insert into requests (
    request_id, district_id, object, selection, filter, requested_by, mode, dependencies, on_state_only, report,
    requested_from, requested_at, school_year, request_reason, run_id, state, reason, detail, keys, decided_at, linked,
    guard_changes, guard_deletes, planned, decided_by
)
select
    request_id, district_id, object, selection, filter, requested_by, mode, dependencies, on_state_only, report,
    requested_from, requested_at, school_year, request_reason, run_id, state, reason, detail, keys, decided_at, linked,
    guard_changes, guard_deletes, planned, decided_by
from batch_requests
on conflict (request_id) do update set
    (
        district_id, object, selection, filter, requested_by, mode, dependencies, on_state_only, report,
        requested_from, requested_at, school_year, request_reason, run_id, state, reason, detail, keys, decided_at, linked,
        guard_changes, guard_deletes, planned, decided_by
    ) = (
        excluded.district_id, excluded.object, excluded.selection, excluded.filter, excluded.requested_by,
        excluded.mode, excluded.dependencies, excluded.on_state_only, excluded.report, excluded.requested_from,
        excluded.requested_at, excluded.school_year, excluded.request_reason, excluded.run_id, excluded.state,
        excluded.reason, excluded.detail, excluded.keys, excluded.decided_at, excluded.linked, excluded.guard_changes,
        excluded.guard_deletes, excluded.planned, excluded.decided_by
    );

-- name: chunks
insert into chunks (
    request_id, chunk, district_id, object, state, keys, in_sync, decided_at, district_rows, state_rows,
    expected_differences, guard_changes, guard_deletes, planned
)
select
    request_id, chunk, district_id, object, state, keys, in_sync, decided_at, district_rows, state_rows,
    expected_differences, guard_changes, guard_deletes, planned
from batch_chunks
on conflict (request_id, chunk) do update set
    (
        district_id, object, state, keys, in_sync, decided_at, district_rows, state_rows, expected_differences,
        guard_changes, guard_deletes, planned
    ) = (
        excluded.district_id, excluded.object, excluded.state, excluded.keys, excluded.in_sync, excluded.decided_at,
        excluded.district_rows, excluded.state_rows, excluded.expected_differences, excluded.guard_changes,
        excluded.guard_deletes, excluded.planned
    );

-- A key's first outcome is one that nothing was decided about before. Looking for its row would be the dearest part of it
-- (ADR 0039). Should there be one all the same, from a request of the same id, it is doubted: then all are looked for.

-- name: first_outcomes
insert into outcomes (
    request_id, object, key, district_id, asked_as, status, reason, detail, changed_fields, parent_object,
    parent_key, correction_id, attempt, first_decided_at, sent_at, answered_at, decided_at
)
select
    request_id, object, key, district_id, asked_as, status, reason, detail, changed_fields, parent_object,
    parent_key, correction_id, attempt, first_decided_at, sent_at, answered_at, decided_at
from batch_first_outcomes;

-- name: doubted_outcomes
insert into batch_outcomes select * from batch_first_outcomes;

-- name: outcomes
insert into outcomes (
    request_id, object, key, district_id, asked_as, status, reason, detail, changed_fields, parent_object,
    parent_key, correction_id, attempt, first_decided_at, sent_at, answered_at, decided_at
)
select
    request_id, object, key, district_id, asked_as, status, reason, detail, changed_fields, parent_object,
    parent_key, correction_id, attempt, first_decided_at, sent_at, answered_at, decided_at
from batch_outcomes
on conflict (request_id, object, key) do update set
    (
        district_id, asked_as, status, reason, detail, changed_fields, parent_object, parent_key, correction_id,
        attempt, first_decided_at, sent_at, answered_at, decided_at
    ) = (
        excluded.district_id, excluded.asked_as, excluded.status, excluded.reason, excluded.detail,
        excluded.changed_fields, excluded.parent_object, excluded.parent_key, excluded.correction_id,
        excluded.attempt, excluded.first_decided_at, excluded.sent_at, excluded.answered_at, excluded.decided_at
    );

-- name: parked
insert into parked (request_id, chunk, district_id, object, rank, keys, record)
select request_id, chunk, district_id, object, rank, keys, record from batch_parked
on conflict (request_id, chunk) do update set
    (district_id, object, rank, keys, record)
    = (excluded.district_id, excluded.object, excluded.rank, excluded.keys, excluded.record);

-- name: heard
insert into burials (request_id, partition)
select h.request_id, h.partition from batch_heard h
where exists (select from clearings c where c.request_id = h.request_id)
on conflict do nothing;
