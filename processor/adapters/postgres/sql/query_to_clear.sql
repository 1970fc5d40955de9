-- Requests named, or all of which nothing was decided since a time, with what clearing has to know of them; oldest first.
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
order by r.decided_at, r.request_id
limit %(limit)s
