-- A page of what is parked of a request, in the order of its release; another district's request may have its id.
select p.rank, p.chunk, p.record
from parked p
join requests r on r.request_id = p.request_id and r.district_id = p.district_id
where p.request_id = %s and (p.rank, p.chunk) > (%s, %s)
order by p.rank, p.chunk
limit %s
