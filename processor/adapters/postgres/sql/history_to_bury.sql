-- A page of a request's rows in the order of kind and key; see service/bury.py for the kinds.
select kind, first, second
from (
    (
        select 0 as kind, object as first, key as second from outcomes
        where request_id = %(request_id)s and %(kind)s = 0 and (object, key) > (%(first)s, %(second)s)
        order by object, key
        limit %(limit)s
    )
    union all
    (
        select 1, chunk, '' from chunks
        where request_id = %(request_id)s and (%(kind)s < 1 or (%(kind)s = 1 and chunk > %(first)s))
        order by chunk
        limit %(limit)s
    )
    union all
    (
        select 2, chunk, '' from parked
        where request_id = %(request_id)s and (%(kind)s < 2 or (%(kind)s = 2 and chunk > %(first)s))
        order by chunk
        limit %(limit)s
    )
    union all
    select 3, '', '' from requests where request_id = %(request_id)s and %(kind)s < 3
) as row
order by kind, first, second
limit %(limit)s
