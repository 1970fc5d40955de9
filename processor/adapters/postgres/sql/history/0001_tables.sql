-- Tables of the store. Every column of requests, chunks, outcomes and clearings is a function of the last record
-- of its key in the history topic (ADR 0030). Text is in collation C: its order is that of bytes on every server.
create table requests (
    request_id text collate "C" primary key,
    district_id text collate "C" not null,
    object text collate "C" not null,
    selection text collate "C" not null,
    filter text,
    requested_by text not null,
    mode text not null,
    dependencies text not null,
    on_state_only text not null,
    report text not null,
    requested_from text not null,
    requested_at timestamptz,
    school_year text,
    request_reason text,
    run_id text collate "C",
    state text not null,
    reason text,
    detail text,
    keys bigint not null,
    decided_at timestamptz not null
);
create index requests_by_district on requests (district_id, requested_at);
create index requests_by_time on requests (requested_at);
create index requests_by_decision on requests (decided_at);
create index requests_by_run on requests (run_id) where run_id is not null;

create table chunks (
    request_id text collate "C",
    chunk text collate "C",
    district_id text collate "C" not null,
    object text collate "C" not null,
    state text not null,
    keys bigint not null,
    in_sync bigint not null,
    decided_at timestamptz not null,
    primary key (request_id, chunk)
);
create index chunks_pending on chunks (request_id) where state = 'PENDING';

create table outcomes (
    request_id text collate "C",
    object text collate "C",
    key text collate "C",
    district_id text collate "C" not null,
    asked_as text,
    status text collate "C" not null,
    reason text collate "C",
    detail text,
    changed_fields text[] not null,
    parent_object text,
    parent_key text,
    correction_id text collate "C",
    attempt bigint not null,
    first_decided_at timestamptz not null,
    sent_at timestamptz,
    answered_at timestamptz,
    decided_at timestamptz not null,
    primary key (request_id, object, key)
);
create index outcomes_by_record on outcomes (district_id, object, key);
create index outcomes_open on outcomes (request_id) where status in ('SENT', 'DEFERRED');
create index outcomes_not_done on outcomes (request_id, status) where status in ('FAILED', 'CANCELLED');
create index outcomes_unanswered on outcomes (sent_at, request_id, object, key) where status = 'SENT';

create table clearings (
    request_id text collate "C" primary key,
    district_id text collate "C" not null,
    object text collate "C" not null,
    cleared_by text not null,
    cleared_at timestamptz not null,
    outcomes bigint not null,
    scope text not null
);

-- Where the store stands in the history topic: the offset it reads next. `topic_id` tells a recreated topic from
-- this one. `live` says that the ends of all requests up to here were announced.
create table offsets (
    partition integer primary key,
    next_offset bigint not null,
    topic_id text collate "C" not null,
    live boolean not null
);
