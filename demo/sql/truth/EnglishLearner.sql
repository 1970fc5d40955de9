-- side: district
select
    english_learner_id::text as key,
    enrollment_id::text as "enrollmentID",
    program_status::text as "programStatus",
    identified_date::date::text as "identifiedDate",
    exit_date::date::text as "exitDate",
    round(proficiency::numeric, 1)::text as "proficiencyLevel",
    parent_declined::text as "parentDeclined"
from english_learner
where english_learner_id::text = any(%(keys)s);

-- side: state
select
    l.district_english_learner_id::text as key,
    case when e.district_id = l.district_id then e.district_enrollment_id::text else 'of ' || e.district_id end
        as "enrollmentID",
    l.program_status as "programStatus",
    l.identified_on::text as "identifiedDate",
    l.exited_on::text as "exitDate",
    l.proficiency_level::text as "proficiencyLevel",
    l.services_declined::text as "parentDeclined"
from state_english_learner l left join state_enrollment e on e.state_id = l.state_enrollment_id
where l.district_id = %(district)s and l.district_english_learner_id::text = any(%(keys)s);
