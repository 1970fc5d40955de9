-- Failures of a request by cause, the most frequent first, each with its first keys and first missing parents. A
-- missing parent's detail is its key, so these are one cause by the parent's object.
with causes as (
    select
        object, reason, case when parent_object is null then detail end as detail, parent_object, count(*) as keys,
        count(distinct parent_key) as parent_keys
    from history.outcomes
    where request_id = %(request_id)s and district_id = %(district_id)s and status = 'FAILED'
        and (%(seen_objects)s::text[] is null or object = any(%(seen_objects)s::text[]))
    group by 1, 2, 3, 4
    order by keys desc, object, reason, detail, parent_object
    limit %(limit)s
)
select
    c.object, c.reason, c.detail, c.parent_object, c.keys, c.parent_keys,
    array(
        select coalesce(nullif(o.asked_as, ''), o.key) from history.outcomes o
        where o.request_id = %(request_id)s and o.district_id = %(district_id)s and o.status = 'FAILED'
            and o.object = c.object and o.reason = c.reason
            and o.parent_object is not distinct from c.parent_object
            and (o.parent_object is not null or o.detail is not distinct from c.detail)
        order by o.key limit %(named)s
    ) as named,
    case when c.parent_object is null then '{}' else array(
        select distinct o.parent_key from history.outcomes o
        where o.request_id = %(request_id)s and o.district_id = %(district_id)s and o.status = 'FAILED'
            and o.object = c.object and o.reason = c.reason
            and o.parent_object = c.parent_object and o.parent_key is not null
        order by o.parent_key limit %(named)s
    ) end as parents
from causes c
order by c.keys desc, c.object, c.reason, c.detail, c.parent_object
