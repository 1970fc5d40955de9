select request_id, district_id, object, cleared_by, cleared_at, outcomes, scope
from history.clearings
where request_id = any(%(request_ids)s)
