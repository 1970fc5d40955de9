-- What a request asks for counts for its own district alone, and not where it was rejected: where two share one id, the
-- other's is not known, and its keys are compared again in the most careful way (ADR 0140).
select
    o.request_id, o.object, o.key, o.district_id, o.asked_as, o.correction_id, o.attempt, o.first_decided_at,
    o.sent_at, coalesce(own.mode, 'SYNC'), coalesce(own.dependencies, 'NONE'), coalesce(own.on_state_only, 'REPORT'),
    coalesce(own.report, 'ALL'), own.requested_at
from outcomes o
join requests r on r.request_id = o.request_id
left join requests own on own.request_id = o.request_id and own.district_id = o.district_id and own.state <> 'REJECTED'
where o.status = 'SENT' and o.correction_id is not null
    and o.sent_at < %s and (o.sent_at, o.request_id, o.object, o.key) > (%s, %s, %s, %s)
    and not exists (select from clearings c where c.request_id = o.request_id)
order by o.sent_at, o.request_id, o.object, o.key
limit %s
