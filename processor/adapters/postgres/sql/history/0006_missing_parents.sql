-- Outcomes for which a record was missed as a parent (query_record.sql). There are few.
create index outcomes_by_missing_parent on outcomes (district_id, parent_object, parent_key)
where reason = 'PARENT_MISSING';
