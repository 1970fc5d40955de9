-- First and last time of a request by a look-up at the ends of an index each, however many outcomes there are (ADR 0150).
create index outcomes_by_first_time on outcomes (request_id, first_decided_at);
create index outcomes_by_last_time on outcomes (request_id, decided_at);
create index chunks_by_time on chunks (request_id, decided_at);
