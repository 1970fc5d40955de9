-- A partition stays live if it was and the old tables had come at least as far: then all ends are announced.
update resync_store_next.offsets n set live = true
from resync_store.offsets l
where l.partition = n.partition and l.live and l.topic_id = n.topic_id and l.next_offset >= n.next_offset;

alter schema resync_store rename to resync_store_old;
alter schema resync_store_next rename to resync_store;
