-- A partition stays live if it was and the old tables had come at least as far: then all ends are announced.
update resync_store_next.offsets n set live = true
from resync_store.offsets l
where l.partition = n.partition and l.live and l.topic_id = n.topic_id and l.next_offset >= n.next_offset;

update resync_store_next.offsets set kept_at = now();

-- What the old tables know to be off the topic is not buried again.
delete from resync_store_next.burials n
using resync_store.clearings c
where c.request_id = n.request_id
    and not exists (select from resync_store.burials l where l.request_id = n.request_id)
    and not exists (select from resync_store_next.requests r where r.request_id = n.request_id)
    and not exists (select from resync_store_next.chunks r where r.request_id = n.request_id)
    and not exists (select from resync_store_next.outcomes r where r.request_id = n.request_id)
    and not exists (select from resync_store_next.parked r where r.request_id = n.request_id);

alter schema resync_store rename to resync_store_old;
alter schema resync_store_next rename to resync_store;
