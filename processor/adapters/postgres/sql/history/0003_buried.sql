-- Record keys of cleared requests that still want a tombstone on the topic. Filled by the merge, emptied page by page
-- once the broker has the tombstones; not a function of the topic, and not compared with it.
create table buried (
    place bigint generated always as identity primary key,
    request_id text collate "C" not null,
    object text collate "C",
    key text collate "C",
    chunk text collate "C"
);
