-- side: district
select
    enrollment_id::text as key,
    person_id::text as "personID",
    school_number::text as "schoolNumber",
    end_year::text as "schoolYear",
    calendar_name as "calendarName",
    grade as "grade",
    service_type::text as "serviceType",
    start_date::text as "startDate",
    start_status as "startStatus",
    end_date::text as "endDate",
    end_status as "endStatus",
    end_comments as "endComments",
    round(percent_enrolled, 2)::text as "percentEnrolled",
    case state_exclude when 1 then 'true' when 0 then 'false' else state_exclude::text end as "stateExclude",
    (modified_date at time zone 'America/Chicago')::text as "modifiedAt"
from enrollment
where enrollment_id::text = any(%(keys)s);

-- side: state
select
    e.district_enrollment_id::text as key,
    case when p.district_id = e.district_id then p.district_person_id::text else 'of ' || p.district_id end as "personID",
    e.school_number as "schoolNumber",
    e.school_year::text as "schoolYear",
    e.calendar as "calendarName",
    e.grade_level as "grade",
    e.service_type as "serviceType",
    e.entry_date::text as "startDate",
    e.entry_code as "startStatus",
    e.exit_date::text as "endDate",
    e.exit_code as "endStatus",
    e.exit_comments as "endComments",
    e.enrolled_percent::text as "percentEnrolled",
    e.excluded::text as "stateExclude",
    e.district_modified_at::text as "modifiedAt"
from state_enrollment e left join state_person p on p.state_id = e.state_person_id
where e.district_id = %(district)s and e.district_enrollment_id::text = any(%(keys)s);
