-- Cleared requests of which something may still be on the topic (service/bury.py). Not a function of the topic: an entry
-- is made by the merge and goes when nothing is left. `partition` is the topic's.
create table burials (
    request_id text collate "C" primary key,
    partition integer not null
);

-- When the store last kept up with the partition, by this server's clock.
alter table offsets add column kept_at timestamptz not null default now();
