-- Of the requests named, those that were planned to their end and are not decided upon, with the least limits of each
-- object's chunks, and when the last of them was planned. A chunk that is put off, or a key
-- that waits for anything else than this decision, is yet to be. A request repeated after the window has its chunks of before,
-- too: of these what is still parked counts, for it would be released as well.
select r.*, g.guards, g.planned_at
from requests r
cross join lateral (
    select
        jsonb_object_agg(o.object, jsonb_build_array(o.changes, o.deletes)) as guards,
        max(o.planned_at) as planned_at
    from (
        select
            c.object, min(c.guard_changes) as changes, min(c.guard_deletes) as deletes, max(c.decided_at) as planned_at
        from chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id and c.guard_changes is not null and (
            c.decided_at > r.decided_at - interval '1 hour' or exists (
                select from parked p
                where p.request_id = c.request_id and p.district_id = c.district_id
                    and p.chunk in (c.chunk || '.0', c.chunk || '.1')
            )
        )
        group by c.object
    ) o
) g
where r.request_id = any(%s) and r.state = 'ACCEPTED' and r.planned is null and g.guards is not null
    and not exists (
        select from chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id and c.state = 'PENDING'
    )
    and not exists (
        select from tallies t
        where t.request_id = r.request_id and t.district_id = r.district_id and t.status in ('SENT', 'DEFERRED')
            and t.reason <> 'MASS_CHANGE'
    )
    and not exists (select from clearings c where c.request_id = r.request_id)
order by r.request_id
