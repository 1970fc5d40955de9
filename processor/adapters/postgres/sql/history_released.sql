-- Requests with parked chunks that were let pass, released or cancelled: each once, by steps along an index.
with recursive parking as (
    (select p.request_id from parked p order by p.request_id limit 1)
    union all
    select (select p.request_id from parked p where p.request_id > g.request_id order by p.request_id limit 1)
    from parking g where g.request_id is not null
)
select r.request_id, r.state, r.decided_at
from parking g
join requests r on r.request_id = g.request_id
where (r.state = 'CANCELLED' or (r.state = 'ACCEPTED' and r.planned is not null))
    and exists (select from parked p where p.request_id = r.request_id and p.district_id = r.district_id)
    and not exists (select from clearings c where c.request_id = r.request_id)
