select count(*) as outcomes
from history.outcomes
where request_id = %(request_id)s and (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
