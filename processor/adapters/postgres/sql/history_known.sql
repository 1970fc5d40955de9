-- Of the requests named, those of which there is, or was, a history.
select r.request_id from requests r where r.request_id = any(%(request_ids)s)
union
select c.request_id from clearings c where c.request_id = any(%(request_ids)s)
