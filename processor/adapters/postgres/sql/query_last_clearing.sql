-- The last clearing that explains why a list is empty. A parameter that is null takes all.
select cleared_by, cleared_at, count(*) over () as requests
from history.clearings
where (%(district_id)s::text is null or district_id = %(district_id)s::text)
    and (%(object)s::text is null or object = %(object)s::text)
    and (
        %(seen_districts)s::text[] is null
        or exists (
            select from unnest(%(seen_districts)s::text[], %(seen_objects)s::text[]) as seen (district_id, object)
            where (seen.district_id is null or seen.district_id = clearings.district_id)
                and (seen.object is null or seen.object = clearings.object)
        )
    )
order by cleared_at desc
limit 1
