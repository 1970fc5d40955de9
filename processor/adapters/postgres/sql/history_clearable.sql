-- Of the requests named, those that have ended and of which nothing was decided later than the one who asks had seen, with
-- the districts and objects of all that is cleared with them.
select r.request_id, r.district_id, r.object, r.outcomes, p.places
from unnest(%s::text[], %s::timestamptz[]) as wish (request_id, as_of)
join history.requests r on r.request_id = wish.request_id
cross join lateral (
    select jsonb_agg(jsonb_build_array(l.district_id, l.object) order by l.district_id, l.object) as places,
        bool_or(l.is_open) as is_open
    from history.places l where l.request_id = r.request_id
) p
where r.state in ('COMPLETE', 'COMPLETE_WITH_FAILURES', 'REJECTED', 'CANCELLED') and not p.is_open
    and r.last_touched_at <= wish.as_of
