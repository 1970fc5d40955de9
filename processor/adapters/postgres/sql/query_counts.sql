-- What became of the keys of requests, each given with its district, of the objects that may be seen. `outcomes` are those
-- of `keys` that are itemised.
select
    c.request_id, c.status, c.reason, sum(c.keys)::bigint as keys,
    coalesce(sum(c.keys) filter (where c.is_itemised), 0)::bigint as outcomes
from history.counts c
join unnest(%(request_ids)s::text[], %(district_ids)s::text[]) as asked (request_id, district_id)
    on asked.request_id = c.request_id and asked.district_id = c.district_id
where c.request_id = any(%(request_ids)s::text[])
    and exists (
        select from unnest(%(seen_districts)s::text[], %(seen_objects)s::text[]) as seen (district_id, object)
        where (seen.district_id is null or seen.district_id = c.district_id)
            and (seen.object is null or seen.object = c.object)
    )
group by c.request_id, c.status, c.reason
order by c.request_id, c.status, c.reason nulls first
