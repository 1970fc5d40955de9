-- A district's persons: %(rows)s rows of 20 compared columns, keys 1 to %(rows)s.
drop table if exists bench_person;
create table bench_person as
select n as person_id, 'Family' || n %% 5000 as last_name, 'Given' || n %% 900 as first_name,
       case when n %% 3 = 0 then 'Middle' || n %% 70 end as middle_name, null::text as suffix,
       date '1990-01-01' + n %% 9000 as birth_date, (array['Female', 'Male'])[1 + n %% 2] as gender,
       lpad((n %% 7)::text, 2, '0') as race_ethnicity, 'eng' as home_language, lpad(n::text, 9, '0') as national_id,
       'US' as birth_country, 'p' || n || '@example.org' as email, '555-' || lpad((n %% 10000)::text, 4, '0') as phone,
       n %% 900 || ' Main Street' as address_line_1, 'Springfield' as city, lpad((n %% 99999)::text, 5, '0') as postal_code,
       n %% 9 <> 0 as is_student, n %% 9 = 0 as is_staff, n %% 50 = 0 as homeless,
       (n %% 400 / 100.0)::numeric(6, 2) as income_ratio,
       timestamptz '2026-01-01' + n * interval '1 minute' as modified_at
from generate_series(1, %(rows)s) as n;
alter table bench_person add primary key (person_id);
