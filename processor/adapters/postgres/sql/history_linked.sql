-- Of the requests named, those that are steps of linked runs.
select r.* from requests r where r.request_id = any(%s) and r.linked
