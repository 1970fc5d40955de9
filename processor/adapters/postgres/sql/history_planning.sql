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
    and not exists (select from clearings c where c.request_id = r.request_id)
