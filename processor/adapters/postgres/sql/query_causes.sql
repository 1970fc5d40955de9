-- Failures of a request by cause, the most frequent first, each with its first keys and first missing parents. A
-- missing parent's detail is its key, so these are one cause by the parent's object; of other failures the parent says
-- nothing, and the detail tells them apart.
with failed as not materialized (
    select
        object, reason, key, asked_as,
        case when reason = 'PARENT_MISSING' then parent_object end as parent_object,
        case when reason = 'PARENT_MISSING' then parent_key end as parent_key,
        case when reason <> 'PARENT_MISSING' or parent_object is null then detail end as detail
    from history.outcomes
    where request_id = %(request_id)s and district_id = %(district_id)s and status = 'FAILED'
        and (%(seen_objects)s::text[] is null or object = any(%(seen_objects)s::text[]))
),
causes as (
    select object, reason, detail, parent_object, count(*) as keys, count(distinct parent_key) as parent_keys
    from failed
    group by 1, 2, 3, 4
    order by keys desc, object, reason, detail, parent_object
    limit %(limit)s
)
select
    c.object, c.reason, c.detail, c.parent_object, c.keys, c.parent_keys,
    array(
        select coalesce(nullif(f.asked_as, ''), f.key) from failed f
        where f.object = c.object and f.reason = c.reason
            and f.parent_object is not distinct from c.parent_object and f.detail is not distinct from c.detail
        order by f.key limit %(named)s
    ) as named,
    case when c.parent_object is null then '{}' else array(
        select distinct f.parent_key from failed f
        where f.object = c.object and f.reason = c.reason
            and f.parent_object = c.parent_object and f.parent_key is not null
        order by f.parent_key limit %(named)s
    ) end as parents
from causes c
order by c.keys desc, c.object, c.reason, c.detail, c.parent_object
