-- side: district
select
    behavior_id::text as key,
    enrollment_id::text as "enrollmentID",
    event_code as "eventCode",
    (event_at at time zone 'America/Chicago')::text as "eventAt",
    role::text as "role",
    resolution as "resolutionCode",
    round(days_suspended, 2)::text as "daysSuspended",
    case law_referral when 'Y' then 'true' when 'N' then 'false' else law_referral end as "lawEnforcementReferral"
from behavior
where behavior_id::text = any(%(keys)s);

-- side: state
select
    b.district_behavior_id::text as key,
    case when e.district_id = b.district_id then e.district_enrollment_id::text else 'of ' || e.district_id end
        as "enrollmentID",
    b.event_code as "eventCode",
    b.event_at::text as "eventAt",
    b.participant_role::text as "role",
    b.resolution_code as "resolutionCode",
    b.days_suspended::text as "daysSuspended",
    b.law_enforcement::text as "lawEnforcementReferral"
from state_behavior b left join state_enrollment e on e.state_id = b.state_enrollment_id
where b.district_id = %(district)s and b.district_behavior_id::text = any(%(keys)s);
