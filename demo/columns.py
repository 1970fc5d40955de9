"""The columns that the generator fills, in its order; the databases' defaults fill the others."""

COLUMNS = {
    "identity": "person_id last_name first_name middle_name suffix birthdate gender race_ethnicity home_language ssn"
    " birth_country email home_phone address_line_1 address_line_2 city zip is_student is_staff homeless income_ratio"
    " modified_date state_id state_match_status",
    "state_person": "state_id district_id district_person_id legal_last_name legal_first_name legal_middle_name"
    " name_suffix birth_date gender_code race_ethnicity_code home_language_code national_id birth_country"
    " email_address phone_number street_address unit city_name postal_code student_flag staff_flag homeless_flag"
    " family_income_ratio district_modified_at state_identifier match_status",
    "enrollment": "enrollment_id person_id school_number end_year calendar_name grade service_type start_date"
    " start_status end_date end_status end_comments percent_enrolled state_exclude modified_date state_status",
    "state_enrollment": "state_id district_id district_enrollment_id state_person_id school_number school_year"
    " calendar grade_level service_type entry_date entry_code exit_date exit_code exit_comments enrolled_percent"
    " excluded district_modified_at certification_status",
    "employment": "employment_id person_id start_date end_date license_number teaching_start_year fte"
    " highly_qualified state_review",
    "state_employment": "state_id district_id district_employment_id state_person_id hire_date separation_date"
    " licence_number first_teaching_year full_time_equivalent qualified review_status",
    "employment_assignment": "assignment_id employment_id school_number assignment_code title start_date end_date fte",
    "state_assignment": "state_id district_id district_assignment_id state_employment_id school_number assignment"
    " position_title start_date end_date full_time_equivalent",
    "behavior": "behavior_id enrollment_id event_code event_at role resolution days_suspended law_referral",
    "state_behavior": "state_id district_id district_behavior_id state_enrollment_id event_code event_at"
    " participant_role resolution_code days_suspended law_enforcement",
    "english_learner": "english_learner_id enrollment_id program_status identified_date exit_date proficiency"
    " parent_declined",
    "state_english_learner": "state_id district_id district_english_learner_id state_enrollment_id program_status"
    " identified_on exited_on proficiency_level services_declined",
    "graduation": "graduation_id enrollment_id diploma_date diploma_type ninth_grade_year credits"
    " post_secondary_plan state_cohort",
    "state_graduation": "state_id district_id district_graduation_id state_enrollment_id diploma_on diploma_type"
    " first_ninth_grade_year credits_earned plan cohort_year",
    "test_score": "score_id enrollment_id test_code test_date scale_score percentile performance_level accommodated",
    "state_test_score": "state_id district_id district_score_id state_enrollment_id test_code tested_on scale_score"
    " percentile_rank level accommodations",
}
