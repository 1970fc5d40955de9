-- A batch into the tables: one row a key, the last record's. Clearings first; what else the batch holds of a
-- cleared request is ignored.
insert into clearings (request_id, district_id, object, cleared_by, cleared_at, outcomes, scope)
select request_id, district_id, object, cleared_by, cleared_at, outcomes, scope from batch_clearings
on conflict (request_id) do update set
    (district_id, object, cleared_by, cleared_at, outcomes, scope)
    = (excluded.district_id, excluded.object, excluded.cleared_by, excluded.cleared_at, excluded.outcomes, excluded.scope);

-- What goes is buried: its keys are remembered until the topic has their tombstones (service/clear.py).
insert into buried (request_id, object) select request_id, '~end' from batch_clearings;
with gone as (
    delete from requests t using batch_clearings b where t.request_id = b.request_id returning t.request_id
)
insert into buried (request_id) select request_id from gone;
with gone as (
    delete from chunks t using batch_clearings b where t.request_id = b.request_id returning t.request_id, t.chunk
)
insert into buried (request_id, chunk) select request_id, chunk from gone;
with gone as (
    delete from outcomes t using batch_clearings b where t.request_id = b.request_id
    returning t.request_id, t.object, t.key
)
insert into buried (request_id, object, key) select request_id, object, key from gone;

-- Records that came after the clearing.
insert into buried (request_id) select request_id from batch_requests b
where exists (select from clearings c where c.request_id = b.request_id);
insert into buried (request_id, chunk) select request_id, chunk from batch_chunks b
where exists (select from clearings c where c.request_id = b.request_id);
insert into buried (request_id, object, key) select request_id, object, key from batch_outcomes b
where exists (select from clearings c where c.request_id = b.request_id);

delete from requests t using batch_gone b where t.request_id = b.request_id and b.object is null and b.chunk is null;
delete from chunks t using batch_gone b where t.request_id = b.request_id and t.chunk = b.chunk;
delete from outcomes t using batch_gone b where t.request_id = b.request_id and t.object = b.object and t.key = b.key;

insert into requests (
    request_id, district_id, object, selection, filter, requested_by, mode, dependencies, on_state_only, report,
    requested_from, requested_at, school_year, request_reason, run_id, state, reason, detail, keys, decided_at
)
select
    request_id, district_id, object, selection, filter, requested_by, mode, dependencies, on_state_only, report,
    requested_from, requested_at, school_year, request_reason, run_id, state, reason, detail, keys, decided_at
from batch_requests b
where not exists (select from clearings c where c.request_id = b.request_id)
on conflict (request_id) do update set
    (
        district_id, object, selection, filter, requested_by, mode, dependencies, on_state_only, report,
        requested_from, requested_at, school_year, request_reason, run_id, state, reason, detail, keys, decided_at
    ) = (
        excluded.district_id, excluded.object, excluded.selection, excluded.filter, excluded.requested_by,
        excluded.mode, excluded.dependencies, excluded.on_state_only, excluded.report, excluded.requested_from,
        excluded.requested_at, excluded.school_year, excluded.request_reason, excluded.run_id, excluded.state,
        excluded.reason, excluded.detail, excluded.keys, excluded.decided_at
    );

insert into chunks (request_id, chunk, district_id, object, state, keys, in_sync, decided_at)
select request_id, chunk, district_id, object, state, keys, in_sync, decided_at
from batch_chunks b
where not exists (select from clearings c where c.request_id = b.request_id)
on conflict (request_id, chunk) do update set
    (district_id, object, state, keys, in_sync, decided_at)
    = (excluded.district_id, excluded.object, excluded.state, excluded.keys, excluded.in_sync, excluded.decided_at);

insert into outcomes (
    request_id, object, key, district_id, asked_as, status, reason, detail, changed_fields, parent_object,
    parent_key, correction_id, attempt, first_decided_at, sent_at, answered_at, decided_at
)
select
    request_id, object, key, district_id, asked_as, status, reason, detail, changed_fields, parent_object,
    parent_key, correction_id, attempt, first_decided_at, sent_at, answered_at, decided_at
from batch_outcomes b
where not exists (select from clearings c where c.request_id = b.request_id)
on conflict (request_id, object, key) do update set
    (
        district_id, asked_as, status, reason, detail, changed_fields, parent_object, parent_key, correction_id,
        attempt, first_decided_at, sent_at, answered_at, decided_at
    ) = (
        excluded.district_id, excluded.asked_as, excluded.status, excluded.reason, excluded.detail,
        excluded.changed_fields, excluded.parent_object, excluded.parent_key, excluded.correction_id,
        excluded.attempt, excluded.first_decided_at, excluded.sent_at, excluded.answered_at, excluded.decided_at
    );
