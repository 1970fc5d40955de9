-- A state as an agency might keep it: types that differ from the district's, constraints, defaults, triggers.
create domain short_name as varchar(8) check (value <> 'nobody');

create table school (school_number varchar(6) primary key);
insert into school values ('S1'), ('S2');

create table person (
    state_id     bigint generated always as identity primary key,
    district_id  text not null,
    person_id    bigint not null,
    last_name    text not null,
    first_name   varchar(20),
    nickname     short_name,
    code         char(3),
    ratio        numeric(6, 2),
    rate         double precision,
    born         date,
    seen_at      timestamptz,
    local_at     timestamp,
    visits       integer,
    active       boolean,
    national_id  varchar(9),
    funding      text not null default 'GEN',
    changes      integer not null default 0,
    constraint person_key unique (district_id, person_id),
    constraint person_national_id unique (district_id, national_id),
    constraint person_born check (born > '1900-01-01')
);

create function count_change() returns trigger language plpgsql as $$
begin
    if new.last_name = 'Banned' then
        raise exception 'no % here', new.last_name;
    end if;
    if tg_op = 'UPDATE' then
        new.changes := old.changes + 1;
    end if;
    return new;
end $$;
create trigger person_count before insert or update on person for each row execute function count_change();

create table enrollment (
    state_id         bigint generated always as identity primary key,
    district_id      text not null,
    enrollment_id    integer not null,
    state_person_id  bigint not null constraint enrollment_person references person,
    mentor_id        bigint,
    school_number    varchar(6) constraint enrollment_school references school deferrable initially deferred,
    grade            text,
    entry_date       date,
    exit_date        date,
    constraint enrollment_key unique (district_id, enrollment_id),
    constraint enrollment_dates check (exit_date >= entry_date)
);

create table behavior (
    district_id    text not null,
    behavior_id    text not null,
    enrollment_id  integer not null,
    code           text,
    constraint behavior_key primary key (district_id, behavior_id),
    constraint behavior_enrollment foreign key (district_id, enrollment_id)
        references enrollment (district_id, enrollment_id) on delete cascade
);

-- No constraint at all: keys may stand twice, parents may be missing.
create table note (district_id text, note_id uuid, person_id bigint, body text);

create table audit (person_id bigint, what text);
create function audit_delete() returns trigger language plpgsql as $$
begin
    insert into audit values (old.person_id, 'deleted');
    return old;
end $$;
create trigger person_audit after delete on person for each row execute function audit_delete();
