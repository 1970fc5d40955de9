delete from burials b
where b.request_id = any(%s)
    and not exists (select from requests r where r.request_id = b.request_id)
    and not exists (select from chunks r where r.request_id = b.request_id)
    and not exists (select from outcomes r where r.request_id = b.request_id)
    and not exists (select from parked r where r.request_id = b.request_id)
