-- Requests about which something is ordered, with their visible state.
select r.*, h.state as shown
from requests r
join history.requests h on h.request_id = r.request_id
where r.request_id = any(%s)
