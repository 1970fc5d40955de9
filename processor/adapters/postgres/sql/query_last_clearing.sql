-- The last clearing that explains why a list is empty. A parameter that is null takes all.
select cleared_by, cleared_at, count(*) over () as requests
from history.clearings
where (%(district_id)s::text is null or district_id = %(district_id)s::text)
    and (%(object)s::text is null or object = %(object)s::text)
order by cleared_at desc
limit 1
