select
    request_id, district_id, object, state, reason, detail, counts, first_decided_at, last_decided_at
from history.requests
where request_id > %s and decided_at <= %s and state in ('COMPLETE', 'COMPLETE_WITH_FAILURES', 'REJECTED', 'CANCELLED')
order by request_id
limit %s
