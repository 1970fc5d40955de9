-- What the applier keeps in the state's database, in the same transaction as the rows it writes.

-- name: exists
select to_regclass('resync_applier.applied') is not null and to_regclass('resync_applier.versions') is not null;

-- name: lock
select pg_advisory_xact_lock(%(lock)s);

-- name: create
create schema if not exists resync_applier;

-- One row for each correction that was answered. The result is empty only inside the transaction that decides it.
create table if not exists resync_applier.applied (
    correction_id  uuid        not null,
    sent_at        timestamptz not null,
    district_id    text        not null,
    object         text        not null,
    key            text        not null,
    result         text,
    detail         text,
    answered_at    timestamptz not null,
    constraint applied_once primary key (correction_id, sent_at)
);
create index if not exists applied_answered_at on resync_applier.applied (answered_at);

-- The newest reading of the district that was applied to a key. Outlives the key's row.
create table if not exists resync_applier.versions (
    district_id    text    not null,
    object         text    not null,
    key            text    not null,
    epoch          bigint  not null,
    snapshot_xmax  bigint  not null,
    in_progress    integer not null,
    correction_id  uuid    not null,
    constraint versions_key primary key (key, district_id, object)
) with (fillfactor = 80);
