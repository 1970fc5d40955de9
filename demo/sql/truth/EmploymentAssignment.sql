-- side: district
select
    assignment_id::text as key,
    employment_id::text as "employmentID",
    school_number::text as "schoolNumber",
    assignment_code as "assignmentCode",
    title as "title",
    start_date::text as "startDate",
    end_date::text as "endDate",
    round(fte, 3)::text as "fullTimeEquivalent"
from employment_assignment
where assignment_id::text = any(%(keys)s);

-- side: state
select
    a.district_assignment_id::text as key,
    case when e.district_id = a.district_id then e.district_employment_id::text else 'of ' || e.district_id end
        as "employmentID",
    a.school_number as "schoolNumber",
    a.assignment as "assignmentCode",
    a.position_title as "title",
    a.start_date::text as "startDate",
    a.end_date::text as "endDate",
    a.full_time_equivalent::text as "fullTimeEquivalent"
from state_assignment a left join state_employment e on e.state_id = a.state_employment_id
where a.district_id = %(district)s and a.district_assignment_id::text = any(%(keys)s);
