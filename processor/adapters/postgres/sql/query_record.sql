-- All that requests did to one record, and the outcomes of its children that missed it as their parent, newest first.
-- Of a request that may not be seen nothing is told but its id.
select
    o.request_id, o.decided_at, o.object, o.key, o.status, o.reason, o.detail, o.changed_fields, o.parent_object,
    o.parent_key, o.asked_as, o.correction_id, o.attempt, o.first_decided_at, o.sent_at, o.answered_at,
    r.requested_by, r.requested_from, r.mode, r.request_reason, r.requested_at, r.run_id
from (
    select * from history.outcomes
    where district_id = %(district_id)s and object = %(object)s and key = %(key)s
    union all
    select * from history.outcomes
    where reason = 'PARENT_MISSING' and district_id = %(district_id)s
        and parent_object = %(object)s and parent_key = %(key)s
        and (%(seen_objects)s::text[] is null or object = any(%(seen_objects)s::text[]))
) o
left join history.requests r on r.request_id = o.request_id and r.district_id = o.district_id
    and (%(seen_objects)s::text[] is null or r.object = any(%(seen_objects)s::text[]))
where %(after_time)s::timestamptz is null
    or (o.decided_at, o.request_id, o.object, o.key)
        < (%(after_time)s::timestamptz, %(after_id)s::text, %(after_object)s::text, %(after_key)s::text)
order by o.decided_at desc, o.request_id desc, o.object desc, o.key desc
limit %(limit)s
