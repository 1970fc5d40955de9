-- Requests of which chunks were planned and that are not decided upon: each once, by steps along an index.
with recursive guarded as (
    (select c.request_id from chunks c where c.guard_changes is not null order by c.request_id limit 1)
    union all
    select (
        select c.request_id from chunks c
        where c.guard_changes is not null and c.request_id > g.request_id order by c.request_id limit 1
    )
    from guarded g where g.request_id is not null
)
select r.request_id
from guarded g
join requests r on r.request_id = g.request_id
where r.state = 'ACCEPTED' and r.planned is null
    and exists (
        select from chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id and c.guard_changes is not null and (
            c.decided_at > r.decided_at - interval '1 hour' or exists (
                select from parked p
                where p.request_id = c.request_id and p.district_id = c.district_id
                    and p.chunk in (c.chunk || '.0', c.chunk || '.1')
            )
        )
    )
    and not exists (select from clearings c where c.request_id = r.request_id)
