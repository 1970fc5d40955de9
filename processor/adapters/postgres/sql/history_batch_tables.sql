-- Where a batch lands before it is merged; emptied by each commit or rollback.
create temp table batch_requests (like requests) on commit delete rows;
create temp table batch_chunks (like chunks) on commit delete rows;
create temp table batch_first_outcomes (like outcomes) on commit delete rows;
create temp table batch_outcomes (like outcomes) on commit delete rows;
create temp table batch_parked (like parked) on commit delete rows;
create temp table batch_clearings (like clearings) on commit delete rows;
create temp table batch_gone (
    request_id text collate "C" not null,
    object text collate "C",
    key text collate "C",
    chunk text collate "C",
    held text collate "C"
) on commit delete rows;
-- Requests of which the batch holds anything but tombstones.
create temp table batch_heard (
    request_id text collate "C" not null,
    partition integer not null
) on commit delete rows;
