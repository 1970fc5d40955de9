-- The state's copy of every district: rows are known by (district_id, the district's key), refer to each other by
-- the state's own ids, and carry columns that only the state fills.
-- Ids that the state gives later start far above those that are loaded.
drop schema public cascade;
drop schema if exists demo_before cascade;
create schema public;

create table state_school (
    school_number  varchar(6) primary key,
    district_id    text not null,
    school_name    text not null
);

create sequence state_identifier start with 90000001;

create table state_person (
    state_id              bigint generated always as identity (start with 90000001) primary key,
    district_id           text not null,
    district_person_id    bigint not null,
    legal_last_name       text not null,
    legal_first_name      text not null,
    legal_middle_name     text,
    name_suffix           varchar(10),
    birth_date            date,
    gender_code           varchar(10),
    race_ethnicity_code   char(2),
    home_language_code    varchar(3),
    national_id           varchar(9),
    birth_country         varchar(2),
    email_address         text,
    phone_number          varchar(20),
    street_address        text,
    unit                  text,
    city_name             text,
    postal_code           char(10),
    student_flag          boolean,
    staff_flag            boolean,
    homeless_flag         boolean,
    family_income_ratio   numeric(6, 2),
    district_modified_at  timestamptz,
    state_identifier      text not null default 'S' || lpad(nextval('state_identifier')::text, 9, '0'),
    match_status          text not null default 'NEW',
    loaded_at             timestamptz not null default now(),
    funding_code          text not null default 'GEN',
    certified             boolean not null default false,
    reviewer_note         text,
    constraint state_person_key unique (district_id, district_person_id),
    constraint state_person_national_id unique (district_id, national_id),
    constraint state_person_birth_date check (birth_date > '1900-01-01')
);

-- Loads of schools and enrollments come in any order during the night, so the school is checked at commit.
create table state_enrollment (
    state_id                bigint generated always as identity (start with 90000001) primary key,
    district_id             text not null,
    district_enrollment_id  bigint not null,
    state_person_id         bigint not null constraint state_enrollment_person references state_person,
    school_number           varchar(6) constraint state_enrollment_school references state_school
                                deferrable initially deferred,
    school_year             integer,
    calendar                text,
    grade_level             varchar(2),
    service_type            varchar(1),
    entry_date              date,
    entry_code              varchar(4),
    exit_date               date,
    exit_code               varchar(4),
    exit_comments           text,
    enrolled_percent        numeric(5, 2),
    excluded                boolean,
    district_modified_at    timestamptz,
    certification_status    text not null default 'OPEN',
    loaded_at               timestamptz not null default now(),
    funded_share            numeric(4, 3) not null default 1.000,
    constraint state_enrollment_key unique (district_id, district_enrollment_id),
    constraint state_enrollment_dates check (exit_date >= entry_date)
);
create index state_enrollment_person on state_enrollment (state_person_id);

create table state_employment (
    state_id                bigint generated always as identity (start with 90000001) primary key,
    district_id             text not null,
    district_employment_id  bigint not null,
    state_person_id         bigint not null constraint state_employment_person references state_person,
    hire_date               date,
    separation_date         date,
    licence_number          text,
    first_teaching_year     integer,
    full_time_equivalent    numeric(4, 3),
    qualified               boolean,
    review_status           text not null default 'PENDING',
    constraint state_employment_key unique (district_id, district_employment_id),
    constraint state_employment_fte check (full_time_equivalent between 0 and 1.5)
);
create index state_employment_person on state_employment (state_person_id);

create table state_assignment (
    state_id                bigint generated always as identity (start with 90000001) primary key,
    district_id             text not null,
    district_assignment_id  bigint not null,
    state_employment_id     bigint not null constraint state_assignment_employment references state_employment,
    school_number           varchar(6),
    assignment              varchar(6),
    position_title          text,
    start_date              date,
    end_date                date,
    full_time_equivalent    numeric(4, 3),
    constraint state_assignment_key unique (district_id, district_assignment_id)
);
create index state_assignment_employment on state_assignment (state_employment_id);

create table state_behavior (
    state_id              bigint generated always as identity (start with 90000001) primary key,
    district_id           text not null,
    district_behavior_id  bigint not null,
    state_enrollment_id   bigint not null constraint state_behavior_enrollment references state_enrollment,
    event_code            varchar(6),
    event_at              timestamptz,
    participant_role      char(1),
    resolution_code       text,
    days_suspended        numeric(5, 2),
    law_enforcement       boolean,
    reviewed_by           text,
    constraint state_behavior_key unique (district_id, district_behavior_id)
);
create index state_behavior_enrollment on state_behavior (state_enrollment_id);

create table state_english_learner (
    state_id                     bigint generated always as identity (start with 90000001) primary key,
    district_id                  text not null,
    district_english_learner_id  bigint not null,
    state_enrollment_id          bigint not null
                                     constraint state_english_learner_enrollment references state_enrollment,
    program_status               varchar(4),
    identified_on                date,
    exited_on                    date,
    proficiency_level            numeric(3, 1),
    services_declined            boolean,
    constraint state_english_learner_key unique (district_id, district_english_learner_id)
);
create index state_english_learner_enrollment on state_english_learner (state_enrollment_id);

create table state_graduation (
    state_id                bigint generated always as identity (start with 90000001) primary key,
    district_id             text not null,
    district_graduation_id  bigint not null,
    state_enrollment_id     bigint not null constraint state_graduation_enrollment references state_enrollment,
    diploma_on              date,
    diploma_type            text,
    first_ninth_grade_year  integer,
    credits_earned          numeric(6, 3),
    plan                    text,
    cohort_year             integer,
    constraint state_graduation_key unique (district_id, district_graduation_id)
);
create index state_graduation_enrollment on state_graduation (state_enrollment_id);

-- The testing vendor delivers files to the state directly, some of them twice: the key is not unique here.
create table state_test_score (
    state_id             bigint generated always as identity (start with 90000001) primary key,
    district_id          text not null,
    district_score_id    bigint not null,
    state_enrollment_id  bigint not null constraint state_test_score_enrollment references state_enrollment,
    test_code            varchar(10),
    tested_on            date,
    scale_score          numeric(7, 2),
    percentile_rank      double precision,
    level                text,
    accommodations       boolean,
    vendor_batch         text not null default 'DISTRICT'
);
create index state_test_score_key on state_test_score (district_id, district_score_id);
create index state_test_score_enrollment on state_test_score (state_enrollment_id);
