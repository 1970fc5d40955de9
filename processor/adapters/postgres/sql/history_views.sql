-- The public views. Replaced in place, so that grants on them stay; a column may be added at the end only.
-- Outcomes are counted by the tallies (ADR 0038). The first and last time are looked up at the ends of indexes (ADR 0150).
-- One id may stand for requests of two districts (ADR 0140). The row is the one's whose status came last, and what is told
-- with it is of its own district: outcomes of the other are no outcomes of it (ADR 0180).
-- A cleared request is hidden from the moment that its clearing is known, whatever is still there of it.
-- An outcome of the other district may have taken the place of an own one of the same object and key: `asked` counts all,
-- so that the request ends all the same.
-- The outcomes' district is compared within `coalesce`: no index answers that, and the planner expects it to hold. Without
-- statistics it would read all that the index has of the district, twice for each request (ADR 0039).
-- Each count is a subquery of its own: a query that does not name the column does not pay for it.
-- `decision` is what was decided about the request as a whole: one that was cancelled is CANCELLED at once, its `state` only
-- when nothing of it is open any more. One that was planned stays open until it is held, or let pass.
-- `looked_at_again`: keys that a verification reads a second time, once it has read all (its parts are called 0.7, what is
-- read again of one 0.7.0).
create schema if not exists history;

create or replace view history.requests as
select
    r.request_id,
    r.district_id,
    r.object,
    r.selection,
    r.filter,
    r.requested_by,
    r.mode,
    r.dependencies,
    r.on_state_only,
    r.report,
    r.requested_from,
    r.requested_at,
    r.school_year,
    r.request_reason,
    r.run_id,
    case
        when r.state not in ('ACCEPTED', 'CANCELLED') then r.state
        when t.open > 0 or exists (
            select from resync_store.chunks c
            where c.request_id = r.request_id and c.district_id = r.district_id and c.state = 'PENDING'
        ) or exists (
            select from resync_store.parked p where p.request_id = r.request_id and p.district_id = r.district_id
        ) or (
            r.state = 'ACCEPTED' and r.planned is null and exists (
                select from resync_store.chunks c
                where c.request_id = r.request_id and c.district_id = r.district_id and c.guard_changes is not null
                    and (
                    c.decided_at > r.decided_at - interval '1 hour' or exists (
                        select from resync_store.parked p
                        where p.request_id = c.request_id and p.district_id = c.district_id
                            and p.chunk in (c.chunk || '.0', c.chunk || '.1')
                    )
                )
            )
        ) or r.keys > t.asked + (
            select coalesce(sum(c.in_sync), 0) from resync_store.chunks c
            where c.request_id = r.request_id and c.state = 'DONE'
        ) then 'ACCEPTED'
        when r.state = 'CANCELLED' or t.cancelled > 0 then 'CANCELLED'
        when t.failed > 0 then 'COMPLETE_WITH_FAILURES'
        else 'COMPLETE'
    end as state,
    r.reason,
    r.detail,
    r.keys,
    r.decided_at,
    t.outcomes,
    t.open as open_outcomes,
    t.failed as failed_outcomes,
    (
        select coalesce(sum(c.in_sync), 0)::bigint from resync_store.chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id and c.state = 'DONE'
    ) as in_sync_not_itemised,
    (
        select count(*) from resync_store.chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id and c.state = 'PENDING'
    ) as pending_chunks,
    (
        select coalesce(jsonb_agg(jsonb_build_object('status', g.status, 'reason', g.reason, 'keys', g.keys)
                                  order by g.status, g.reason nulls first), '[]'::jsonb)
        from (
            select n.status, n.reason, sum(n.keys)::bigint as keys from (
                select o.status, nullif(o.reason, '') as reason, o.keys from resync_store.tallies o
                where o.request_id = r.request_id and o.district_id = r.district_id
                union all
                select 'IN_SYNC', k.reason, sum(k.keys)
                from resync_store.chunks c
                cross join lateral (
                    values (null, c.in_sync - c.expected_differences), ('EXPECTED_DIFFERENCE', c.expected_differences)
                ) k (reason, keys)
                where c.request_id = r.request_id and c.district_id = r.district_id and c.state = 'DONE'
                group by k.reason having sum(k.keys) > 0
            ) n group by n.status, n.reason
        ) g
    ) as counts,
    least(
        r.decided_at,
        (
            select min(o.first_decided_at) from resync_store.outcomes o
            where o.request_id = r.request_id and coalesce(o.district_id = r.district_id, false)
        )
    ) as first_decided_at,
    greatest(
        r.decided_at,
        (
            select max(o.decided_at) from resync_store.outcomes o
            where o.request_id = r.request_id and coalesce(o.district_id = r.district_id, false)
        ),
        (
            select max(c.decided_at) from resync_store.chunks c
            where c.request_id = r.request_id and c.district_id = r.district_id
        )
    ) as last_decided_at,
    greatest(
        r.decided_at,
        (select max(o.decided_at) from resync_store.outcomes o where o.request_id = r.request_id),
        (select max(c.decided_at) from resync_store.chunks c where c.request_id = r.request_id)
    ) as last_touched_at,
    (
        select coalesce(sum(c.district_rows), 0)::bigint from resync_store.chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id
    ) as district_rows,
    (
        select coalesce(sum(c.state_rows), 0)::bigint from resync_store.chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id
    ) as state_rows,
    case when r.selection = 'KEYS' then r.keys else (
        select coalesce(sum(c.keys), 0)::bigint from resync_store.chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id
    ) end as expected_keys,
    r.state as decision,
    r.decided_by,
    r.guard_changes,
    r.guard_deletes,
    r.planned,
    (
        select coalesce(sum(p.keys), 0)::bigint from resync_store.parked p
        where p.request_id = r.request_id and p.district_id = r.district_id
    ) as parked_keys,
    r.linked,
    case when r.selection <> 'KEYS' and r.mode = 'VERIFY' then (
        select case when bool_or(c.chunk ~ '^[0-9]+([.][0-9]+)?$') then 0 else coalesce(sum(c.keys), 0) end::bigint
        from resync_store.chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id and c.state = 'PENDING'
    ) else 0 end as looked_at_again
from resync_store.requests r
cross join lateral (
    select
        coalesce(sum(o.keys) filter (where o.is_own), 0)::bigint as outcomes,
        coalesce(sum(o.asked), 0)::bigint as asked,
        coalesce(sum(o.keys) filter (where o.is_own and o.status in ('SENT', 'DEFERRED')), 0)::bigint as open,
        coalesce(sum(o.keys) filter (where o.is_own and o.status = 'FAILED'), 0)::bigint as failed,
        coalesce(sum(o.keys) filter (where o.is_own and o.status = 'CANCELLED'), 0)::bigint as cancelled
    from (
        select n.keys, n.asked, n.status, n.district_id = r.district_id as is_own
        from resync_store.tallies n where n.request_id = r.request_id
    ) o
) t
where not exists (select from resync_store.clearings c where c.request_id = r.request_id);

create or replace view history.outcomes as
select
    request_id,
    district_id,
    object,
    key,
    asked_as,
    status,
    reason,
    detail,
    changed_fields,
    parent_object,
    parent_key,
    correction_id,
    attempt,
    first_decided_at,
    sent_at,
    answered_at,
    decided_at
from resync_store.outcomes o
where not exists (select from resync_store.clearings c where c.request_id = o.request_id);

create or replace view history.clearings as
select request_id, district_id, object, cleared_by, cleared_at, outcomes, scope from resync_store.clearings;

-- Whose history lies under an id: district and object of the request, of what it named itself, and of everything that
-- another district's request of the same id left there. Whoever clears the id clears all of it. `is_open`: something of it
-- has not ended.
create or replace view history.places as
select p.request_id, p.district_id, p.object, bool_or(p.is_open) as is_open
from (
    select r.request_id, r.district_id, r.object, false as is_open from resync_store.requests r
    union all
    select c.request_id, c.district_id, c.object, c.state = 'PENDING'
    from resync_store.chunks c join resync_store.requests r on r.request_id = c.request_id
    where c.district_id <> r.district_id
    union all
    select p.request_id, p.district_id, p.object, true
    from resync_store.parked p join resync_store.requests r on r.request_id = p.request_id
    where p.district_id <> r.district_id
    union all
    select t.request_id, t.district_id, t.object, t.status in ('SENT', 'DEFERRED')
    from resync_store.tallies t join resync_store.requests r on r.request_id = t.request_id
    where t.asked > 0 or t.district_id <> r.district_id
) p
where not exists (select from resync_store.clearings c where c.request_id = p.request_id)
group by p.request_id, p.district_id, p.object;

-- How many keys of each object came to what, as `counts` of a request is made of. What is not itemised has no outcome.
create or replace view history.counts as
select t.request_id, t.district_id, t.object, t.status, nullif(t.reason, '') as reason, t.keys, true as is_itemised
from resync_store.tallies t
where not exists (select from resync_store.clearings c where c.request_id = t.request_id)
union all
select n.request_id, n.district_id, n.object, 'IN_SYNC', null, sum(n.in_sync)::bigint, false
from resync_store.chunks n
where n.state = 'DONE' and not exists (select from resync_store.clearings c where c.request_id = n.request_id)
group by n.request_id, n.district_id, n.object
having sum(n.in_sync) > 0;

-- What a request would change that was planned before anything was sent, by object, operation and field; with a null field
-- the number of records, else how many updates change that field.
create or replace view history.planned as
select r.request_id, r.district_id, e.object, e.operation, e.field, e.keys
from resync_store.requests r
cross join lateral jsonb_to_recordset(r.planned -> 'counts') as e (object text, operation text, field text, keys bigint)
where not exists (select from resync_store.clearings c where c.request_id = r.request_id);

-- Some of the records that it would change.
create or replace view history.planned_samples as
select r.request_id, r.district_id, e.object, e.operation, e.key
from resync_store.requests r
cross join lateral jsonb_to_recordset(r.planned -> 'samples') as e (object text, operation text, key text)
where not exists (select from resync_store.clearings c where c.request_id = r.request_id);
