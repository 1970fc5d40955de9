select
    object, key, asked_as, status, reason, detail, changed_fields, parent_object, parent_key, correction_id, attempt,
    first_decided_at, sent_at, answered_at, decided_at
from history.outcomes
where request_id = %(request_id)s and district_id = %(district_id)s
    and (object, key) > (%(after_object)s, %(after_key)s)
    and (%(object)s::text is null or object = %(object)s::text)
    and (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
    and (%(reasons)s::text[] is null or reason = any(%(reasons)s::text[]))
    and (%(parent_object)s::text is null or parent_object = %(parent_object)s::text)
    and (%(seen_objects)s::text[] is null or object = any(%(seen_objects)s::text[]))
order by object, key
limit %(limit)s
