-- Of the requests named, those that have ended and of which nothing was decided later than the one who asks had seen.
select r.request_id, r.district_id, r.object, r.outcomes
from unnest(%s::text[], %s::timestamptz[]) as wish (request_id, as_of)
join history.requests r on r.request_id = wish.request_id
where r.state in ('COMPLETE', 'COMPLETE_WITH_FAILURES', 'REJECTED', 'CANCELLED') and r.last_decided_at <= wish.as_of
