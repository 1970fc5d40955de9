-- A request that had ended before the clearing was asked for. One that ended only afterwards is never cleared by it.
select district_id, object, outcomes
from history.requests
where request_id = %s and state in ('COMPLETE', 'COMPLETE_WITH_FAILURES', 'REJECTED', 'CANCELLED')
    and last_decided_at <= %s
    and not exists (select from clearings c where c.request_id = history.requests.request_id)
