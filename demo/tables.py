"""Where each object is kept: the demo's own list, written by hand beside the catalog and not read from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tables:
    district: str
    district_key: str
    state: str
    state_key: str


TABLES = {
    "PersonIdentity": Tables("identity", "person_id", "state_person", "district_person_id"),
    "Enrollment": Tables("enrollment", "enrollment_id", "state_enrollment", "district_enrollment_id"),
    "Employment": Tables("employment", "employment_id", "state_employment", "district_employment_id"),
    "EmploymentAssignment": Tables(
        "employment_assignment", "assignment_id", "state_assignment", "district_assignment_id"
    ),
    "Behavior": Tables("behavior", "behavior_id", "state_behavior", "district_behavior_id"),
    "EnglishLearner": Tables(
        "english_learner", "english_learner_id", "state_english_learner", "district_english_learner_id"
    ),
    "Graduation": Tables("graduation", "graduation_id", "state_graduation", "district_graduation_id"),
    "TestScore": Tables("test_score", "score_id", "state_test_score", "district_score_id"),
}

# The objects of which each district's records are broken: persons and enrollments everywhere, each of the others in
# one place, because every pair of district and object is a request of its own.
PLANTED_IN = {
    "NORTH": ("PersonIdentity", "Enrollment", "Behavior", "TestScore"),
    "RIVER": ("PersonIdentity", "Enrollment", "Employment", "EmploymentAssignment"),
    "LAKE": ("PersonIdentity", "Enrollment", "EnglishLearner", "Graduation"),
}


def districts_of(object_name: str) -> list[str]:
    return [district_id for district_id, objects in PLANTED_IN.items() if object_name in objects]


# The state's column of every district-owned field.
STATE_COLUMNS = {
    "PersonIdentity": {
        "lastName": "legal_last_name",
        "firstName": "legal_first_name",
        "middleName": "legal_middle_name",
        "suffix": "name_suffix",
        "birthDate": "birth_date",
        "gender": "gender_code",
        "raceEthnicity": "race_ethnicity_code",
        "homeLanguage": "home_language_code",
        "nationalID": "national_id",
        "birthCountry": "birth_country",
        "email": "email_address",
        "phone": "phone_number",
        "addressLine1": "street_address",
        "addressLine2": "unit",
        "city": "city_name",
        "postalCode": "postal_code",
        "isStudent": "student_flag",
        "isStaff": "staff_flag",
        "homeless": "homeless_flag",
        "familyIncomeRatio": "family_income_ratio",
        "modifiedAt": "district_modified_at",
    },
    "Enrollment": {
        "personID": "state_person_id",
        "schoolNumber": "school_number",
        "schoolYear": "school_year",
        "calendarName": "calendar",
        "grade": "grade_level",
        "serviceType": "service_type",
        "startDate": "entry_date",
        "startStatus": "entry_code",
        "endDate": "exit_date",
        "endStatus": "exit_code",
        "endComments": "exit_comments",
        "percentEnrolled": "enrolled_percent",
        "stateExclude": "excluded",
        "modifiedAt": "district_modified_at",
    },
    "Employment": {
        "personID": "state_person_id",
        "startDate": "hire_date",
        "endDate": "separation_date",
        "licenseNumber": "licence_number",
        "teachingStartYear": "first_teaching_year",
        "fullTimeEquivalent": "full_time_equivalent",
        "highlyQualified": "qualified",
    },
    "EmploymentAssignment": {
        "employmentID": "state_employment_id",
        "schoolNumber": "school_number",
        "assignmentCode": "assignment",
        "title": "position_title",
        "startDate": "start_date",
        "endDate": "end_date",
        "fullTimeEquivalent": "full_time_equivalent",
    },
    "Behavior": {
        "enrollmentID": "state_enrollment_id",
        "eventCode": "event_code",
        "eventAt": "event_at",
        "role": "participant_role",
        "resolutionCode": "resolution_code",
        "daysSuspended": "days_suspended",
        "lawEnforcementReferral": "law_enforcement",
    },
    "EnglishLearner": {
        "enrollmentID": "state_enrollment_id",
        "programStatus": "program_status",
        "identifiedDate": "identified_on",
        "exitDate": "exited_on",
        "proficiencyLevel": "proficiency_level",
        "parentDeclined": "services_declined",
    },
    "Graduation": {
        "enrollmentID": "state_enrollment_id",
        "diplomaDate": "diploma_on",
        "diplomaType": "diploma_type",
        "firstNinthGradeYear": "first_ninth_grade_year",
        "creditsEarned": "credits_earned",
        "postSecondaryPlan": "plan",
    },
    "TestScore": {
        "enrollmentID": "state_enrollment_id",
        "testCode": "test_code",
        "testDate": "tested_on",
        "scaleScore": "scale_score",
        "percentile": "percentile_rank",
        "performanceLevel": "level",
        "accommodated": "accommodations",
    },
}
