-- Requests named or ended long enough ago, with what clearing has to know of them; newest first.
select request_id, district_id, object, state, outcomes, last_decided_at
from history.requests
where (%(request_ids)s::text[] is null or request_id = any(%(request_ids)s::text[]))
    and (%(district_id)s::text is null or district_id = %(district_id)s::text)
    and (%(before)s::timestamptz is null or last_decided_at < %(before)s::timestamptz)
order by last_decided_at desc, request_id
limit %(limit)s
