-- Every write to the state's rows, so that a test can count them. `mark` is one column's value after the write.
create table audit (
    seq          bigint generated always as identity primary key,
    object       text not null,
    district_id  text not null,
    key          text not null,
    op           text not null,
    mark         text
);
insert into state_school select 'SCH' || d.letter || n, d.id, 'School'
from (values ('N', 'NORTH'), ('R', 'RIVER'), ('L', 'LAKE')) as d (letter, id), generate_series(1, 3) as n;

create function audit() returns trigger language plpgsql as $$
declare
    changed jsonb := to_jsonb(coalesce(new, old));
begin
    insert into audit (object, district_id, key, op, mark)
    values (tg_argv[0], changed ->> 'district_id', changed ->> tg_argv[1], tg_op, changed ->> tg_argv[2]);
    return null;
end $$;

create trigger audit after insert or update or delete on state_person for each row
execute function audit('PersonIdentity', 'district_person_id', 'legal_last_name');
create trigger audit after insert or update or delete on state_enrollment for each row
execute function audit('Enrollment', 'district_enrollment_id', 'exit_comments');
create trigger audit after insert or update or delete on state_behavior for each row
execute function audit('Behavior', 'district_behavior_id', 'event_code');
