-- side: district
select
    score_id::text as key,
    enrollment_id::text as "enrollmentID",
    test_code as "testCode",
    test_date::text as "testDate",
    scale_score::text as "scaleScore",
    percentile::text as "percentile",
    performance_level as "performanceLevel",
    case accommodated when 1 then 'true' when 0 then 'false' else accommodated::text end as "accommodated"
from test_score
where score_id::text = any(%(keys)s);

-- side: state
select
    s.district_score_id::text as key,
    case when e.district_id = s.district_id then e.district_enrollment_id::text else 'of ' || e.district_id end
        as "enrollmentID",
    s.test_code as "testCode",
    s.tested_on::text as "testDate",
    s.scale_score::text as "scaleScore",
    s.percentile_rank::text as "percentile",
    s.level as "performanceLevel",
    s.accommodations::text as "accommodated"
from state_test_score s left join state_enrollment e on e.state_id = s.state_enrollment_id
where s.district_id = %(district)s and s.district_score_id::text = any(%(keys)s);
