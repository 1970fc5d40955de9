-- Rows on both sides of the keys that a part of a scan ended (ADR 0210), and how many of those in sync differ in fields
-- that the state owns; 0 for all other chunks.
alter table chunks add column district_rows bigint not null default 0;
alter table chunks add column state_rows bigint not null default 0;
alter table chunks add column expected_differences bigint not null default 0;
