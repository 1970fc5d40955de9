-- side: district
select
    graduation_id::text as key,
    enrollment_id::text as "enrollmentID",
    diploma_date::text as "diplomaDate",
    diploma_type as "diplomaType",
    ninth_grade_year::text as "firstNinthGradeYear",
    round(credits, 3)::text as "creditsEarned",
    post_secondary_plan as "postSecondaryPlan"
from graduation
where graduation_id::text = any(%(keys)s);

-- side: state
select
    g.district_graduation_id::text as key,
    case when e.district_id = g.district_id then e.district_enrollment_id::text else 'of ' || e.district_id end
        as "enrollmentID",
    g.diploma_on::text as "diplomaDate",
    g.diploma_type as "diplomaType",
    g.first_ninth_grade_year::text as "firstNinthGradeYear",
    g.credits_earned::text as "creditsEarned",
    g.plan as "postSecondaryPlan"
from state_graduation g left join state_enrollment e on e.state_id = g.state_enrollment_id
where g.district_id = %(district)s and g.district_graduation_id::text = any(%(keys)s);
