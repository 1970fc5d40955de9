select count(*), min(r.decided_at) from requests r
where r.state = 'HELD' and not exists (select from clearings c where c.request_id = r.request_id)
