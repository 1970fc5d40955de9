-- side: district
select
    person_id::text as key,
    last_name as "lastName",
    first_name as "firstName",
    middle_name as "middleName",
    suffix::text as "suffix",
    birthdate::text as "birthDate",
    gender::text as "gender",
    race_ethnicity as "raceEthnicity",
    home_language::text as "homeLanguage",
    ssn::text as "nationalID",
    birth_country::text as "birthCountry",
    email as "email",
    home_phone as "phone",
    address_line_1 as "addressLine1",
    address_line_2 as "addressLine2",
    city as "city",
    zip as "postalCode",
    case is_student when 'Y' then 'true' when 'N' then 'false' else is_student end as "isStudent",
    case is_staff when 1 then 'true' when 0 then 'false' else is_staff::text end as "isStaff",
    homeless::text as "homeless",
    round(income_ratio, 2)::text as "familyIncomeRatio",
    (modified_date at time zone 'America/Chicago')::text as "modifiedAt"
from identity
where person_id::text = any(%(keys)s);

-- side: state
select
    district_person_id::text as key,
    legal_last_name as "lastName",
    legal_first_name as "firstName",
    legal_middle_name as "middleName",
    name_suffix as "suffix",
    birth_date::text as "birthDate",
    gender_code as "gender",
    race_ethnicity_code::text as "raceEthnicity",
    home_language_code as "homeLanguage",
    national_id as "nationalID",
    birth_country as "birthCountry",
    email_address as "email",
    phone_number as "phone",
    street_address as "addressLine1",
    unit as "addressLine2",
    city_name as "city",
    postal_code::text as "postalCode",
    student_flag::text as "isStudent",
    staff_flag::text as "isStaff",
    homeless_flag::text as "homeless",
    family_income_ratio::text as "familyIncomeRatio",
    district_modified_at::text as "modifiedAt"
from state_person
where district_id = %(district)s and district_person_id::text = any(%(keys)s);
