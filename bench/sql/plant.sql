-- One row of %(differs)s differs and one of %(missing)s is missing (0: none)
update bench_state_person set phone = '555-' || lpad((district_person_id %% 10000)::text, 4, '0')
where phone = '555-DIFF' and (%(differs)s = 0 or district_person_id %% greatest(%(differs)s, 1) <> 0);
update bench_state_person set phone = '555-DIFF'
where %(differs)s > 0 and district_person_id %% greatest(%(differs)s, 1) = 0 and phone <> '555-DIFF';
delete from bench_state_person where %(missing)s > 0 and district_person_id %% greatest(%(missing)s, 1) = 1;
