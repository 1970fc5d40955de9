-- The state's copy of NORTH, %(rows)s rows, and of EAST, %(other_rows)s rows, each equal to the district's.
drop table if exists bench_state_person cascade;
create table bench_state_person (
    district_id text not null, district_person_id bigint not null, last_name text, first_name text, middle_name text,
    suffix text, birth_date date, gender text, race_ethnicity text, home_language text, national_id text,
    birth_country text, email text, phone text, address_line_1 text, city text, postal_code text, is_student boolean,
    is_staff boolean, homeless boolean, income_ratio numeric(6, 2), modified_at timestamptz
);
-- As the district has them; every so many, beginning with the first.
create or replace function bench_state_rows(every int) returns setof bench_state_person language sql as $rows$
select district_id, n, 'Family' || n %% 5000, 'Given' || n %% 900, case when n %% 3 = 0 then 'Middle' || n %% 70 end, null,
       date '1990-01-01' + n %% 9000, (array['Female', 'Male'])[1 + n %% 2], lpad((n %% 7)::text, 2, '0'), 'eng',
       lpad(n::text, 9, '0'), 'US', 'p' || n || '@example.org', '555-' || lpad((n %% 10000)::text, 4, '0'),
       n %% 900 || ' Main Street', 'Springfield', lpad((n %% 99999)::text, 5, '0'), n %% 9 <> 0, n %% 9 = 0, n %% 50 = 0,
       (n %% 400 / 100.0)::numeric(6, 2), timestamptz '2026-01-01' + n * interval '1 minute'
from (values ('NORTH', %(rows)s), ('EAST', %(other_rows)s)) as d (district_id, rows), generate_series(1, rows, every) as n
$rows$;
insert into bench_state_person select * from bench_state_rows(1);
alter table bench_state_person add primary key (district_id, district_person_id);
