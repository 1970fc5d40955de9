-- What the applier may have mended is broken again: every 50th row differs, every 100th plus one is missing.
update bench_state_person set phone = '555-DIFF' where district_person_id % 50 = 0 and phone <> '555-DIFF';
delete from bench_state_person where district_person_id % 100 = 1;
