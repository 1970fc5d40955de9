select count(*) as outcomes
from history.outcomes
where request_id = %(request_id)s and district_id = %(district_id)s
    and (%(object)s::text is null or object = %(object)s::text)
    and (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
    and (%(reasons)s::text[] is null or reason = any(%(reasons)s::text[]))
    and (%(parent_object)s::text is null or parent_object = %(parent_object)s::text)
    and (%(seen_objects)s::text[] is null or object = any(%(seen_objects)s::text[]))
