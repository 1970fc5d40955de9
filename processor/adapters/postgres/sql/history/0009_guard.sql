-- The guard against mass changes (ADR 0144, ADR 0154): what a request would change, what that is held against, and the
-- chunks that are parked until it is decided upon. `record` is the history record as it stands on the topic.
alter table requests add column linked boolean not null default false;
alter table requests add column guard_changes bigint;
alter table requests add column guard_deletes bigint;
alter table requests add column planned jsonb;
alter table requests add column decided_by text;
create index requests_held on requests (decided_at) where state = 'HELD';
create index requests_linked on requests (request_id) where linked;

alter table chunks add column guard_changes bigint;
alter table chunks add column guard_deletes bigint;
alter table chunks add column planned jsonb;
create index chunks_guarded on chunks (request_id) where guard_changes is not null;

create table parked (
    request_id text collate "C",
    chunk text collate "C",
    district_id text collate "C" not null,
    object text collate "C" not null,
    rank bigint not null,
    keys bigint not null,
    record bytea not null,
    primary key (request_id, chunk)
);
create index parked_in_order on parked (request_id, rank, chunk);
