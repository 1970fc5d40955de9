-- Requests named, or all of which nothing was decided since a time, with what clearing has to know of them; oldest first.
select r.request_id, r.district_id, r.object, r.state, r.outcomes, r.last_decided_at
from history.requests r
where (%(request_ids)s::text[] is null or r.request_id = any(%(request_ids)s::text[]))
    and (%(district_id)s::text is null or r.district_id = %(district_id)s::text)
    and (
        %(before)s::timestamptz is null
        or (r.decided_at < %(before)s::timestamptz and r.last_decided_at < %(before)s::timestamptz)
    )
order by r.decided_at, r.request_id
limit %(limit)s
