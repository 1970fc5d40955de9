-- Failures first, then what is different, then the rest.
select object, key, asked_as, status, reason, detail, changed_fields, parent_object, parent_key
from history.outcomes
where request_id = %(request_id)s and district_id = %(district_id)s
order by
    case
        when status = 'FAILED' then 0
        when status in ('IN_SYNC', 'APPLIED', 'NOT_FOUND') then 2
        else 1
    end,
    object, key
limit %(limit)s
