-- Of the requests that a staged batch names with a district, before its merge, those of which records name two (ADR 0140).
select b.request_id
from unnest(%s::text[], %s::text[]) as b (request_id, district_id)
left join requests r on r.request_id = b.request_id
group by b.request_id
having count(distinct b.district_id) > 1 or bool_or(r.district_id <> b.district_id)
order by b.request_id collate "C"
