select
    o.request_id, o.object, o.key, o.district_id, o.asked_as, o.correction_id, o.attempt, o.first_decided_at,
    o.sent_at, r.mode, r.dependencies, r.on_state_only, r.report
from outcomes o
join requests r on r.request_id = o.request_id
where o.status = 'SENT' and o.correction_id is not null
    and o.sent_at < %s and (o.sent_at, o.request_id, o.object, o.key) > (%s, %s, %s, %s)
    and not exists (select from clearings c where c.request_id = o.request_id)
order by o.sent_at, o.request_id, o.object, o.key
limit %s
