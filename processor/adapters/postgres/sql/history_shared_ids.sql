-- Of the requests in a staged batch, before its merge, those of which records name two districts (ADR 0140).
select b.request_id
from (
    select request_id, district_id from batch_requests
    union select request_id, district_id from batch_chunks
    union select request_id, district_id from batch_outcomes
    union select request_id, district_id from batch_parked
) b
left join requests r on r.request_id = b.request_id
group by b.request_id
having count(distinct b.district_id) > 1 or bool_or(r.district_id <> b.district_id)
order by b.request_id
