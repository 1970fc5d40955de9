-- side: district
select
    employment_id::text as key,
    person_id::text as "personID",
    start_date::text as "startDate",
    end_date::text as "endDate",
    license_number as "licenseNumber",
    teaching_start_year::text as "teachingStartYear",
    round(fte, 3)::text as "fullTimeEquivalent",
    case highly_qualified when 'Y' then 'true' when 'N' then 'false' else highly_qualified end as "highlyQualified"
from employment
where employment_id::text = any(%(keys)s);

-- side: state
select
    e.district_employment_id::text as key,
    case when p.district_id = e.district_id then p.district_person_id::text else 'of ' || p.district_id end as "personID",
    e.hire_date::text as "startDate",
    e.separation_date::text as "endDate",
    e.licence_number as "licenseNumber",
    e.first_teaching_year::text as "teachingStartYear",
    e.full_time_equivalent::text as "fullTimeEquivalent",
    e.qualified::text as "highlyQualified"
from state_employment e left join state_person p on p.state_id = e.state_person_id
where e.district_id = %(district)s and e.district_employment_id::text = any(%(keys)s);
