-- Of the requests named, those that were planned to their end and are not decided upon, with the least limits of their
-- chunks. A chunk that is put off, or a key that waits, is still to be planned.
select r.*, g.least_changes, g.least_deletes
from requests r
cross join lateral (
    select min(c.guard_changes) as least_changes, min(c.guard_deletes) as least_deletes
    from chunks c where c.request_id = r.request_id and c.district_id = r.district_id and c.guard_changes is not null
) g
where r.request_id = any(%s) and r.state = 'ACCEPTED' and r.planned is null and g.least_changes is not null
    and not exists (
        select from chunks c
        where c.request_id = r.request_id and c.district_id = r.district_id and c.state = 'PENDING'
    )
    and not exists (
        select from tallies t
        where t.request_id = r.request_id and t.district_id = r.district_id and t.status in ('SENT', 'DEFERRED')
    )
    and not exists (select from clearings c where c.request_id = r.request_id)
order by r.request_id
