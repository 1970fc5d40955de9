-- What each chunk of a request would change, of those that history_planned.sql counts.
select c.planned
from requests r
join chunks c on c.request_id = r.request_id and c.district_id = r.district_id
where r.request_id = %s and r.district_id = %s and c.guard_changes is not null and (
        c.decided_at > r.decided_at - interval '1 hour' or exists (
            select from parked p
            where p.request_id = c.request_id and p.district_id = c.district_id
                and p.chunk in (c.chunk || '.0', c.chunk || '.1')
        )
    )
order by c.chunk
