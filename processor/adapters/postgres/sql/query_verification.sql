-- What a verification of a whole object, or of what a filter matches, found besides the counts by status: rows a side,
-- keys that differ a field.
select
    r.filter,
    r.school_year,
    r.district_rows,
    r.state_rows,
    (
        select coalesce(jsonb_object_agg(f.field, f.keys), '{}'::jsonb)
        from (
            select c.field, count(*) as keys
            from history.outcomes o
            cross join lateral unnest(o.changed_fields) as c (field)
            where o.request_id = r.request_id and o.object = r.object and o.status = 'DIFFERS'
            group by c.field
        ) f
    ) as fields
from history.requests r
where r.request_id = %(request_id)s
