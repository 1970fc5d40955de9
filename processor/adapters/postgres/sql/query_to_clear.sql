-- Requests named, or all of which nothing was decided since a time, with what clearing has to know of them; oldest first.
-- A parameter that is null takes all: so nothing else uses up the limit. `may_districts` and `may_objects` are pairs, of
-- which null in one is all of them.
-- `places`: districts and objects of all that is cleared with a request. Where something of them is open, so is the request.
select
    r.request_id, r.district_id, r.object, case when p.is_open then 'ACCEPTED' else r.state end as state, r.outcomes,
    r.last_touched_at, p.places
from history.requests r
cross join lateral (
    select jsonb_agg(jsonb_build_array(l.district_id, l.object) order by l.district_id, l.object) as places,
        bool_or(l.is_open) as is_open
    from history.places l where l.request_id = r.request_id
) p
where (%(request_ids)s::text[] is null or r.request_id = any(%(request_ids)s::text[]))
    and (%(district_id)s::text is null or r.district_id = %(district_id)s::text)
    and (
        %(before)s::timestamptz is null
        or (r.decided_at < %(before)s::timestamptz and r.last_touched_at < %(before)s::timestamptz)
    )
    and (
        %(is_ended)s::boolean is null
        or (r.state in ('COMPLETE', 'COMPLETE_WITH_FAILURES', 'REJECTED', 'CANCELLED') and not p.is_open) = %(is_ended)s
    )
    and (
        %(may_districts)s::text[] is null
        or not exists (
            select from history.places l
            where l.request_id = r.request_id and not exists (
                select from unnest(%(may_districts)s::text[], %(may_objects)s::text[]) as may (district_id, object)
                where (may.district_id is null or may.district_id = l.district_id)
                    and (may.object is null or may.object = l.object)
            )
        )
    )
order by r.decided_at, r.request_id
limit %(limit)s
