-- Outcomes of dependencies are not among the request's keys, so more may be settled than were asked for.
select
    request_id, district_id, object, state, expected_keys as keys,
    least(expected_keys, outcomes - open_outcomes + in_sync_not_itemised) as settled, detail,
    case when decision = 'HELD' then planned end as planned, looked_at_again
from history.requests
where request_id = any(%(request_ids)s)
