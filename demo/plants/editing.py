"""Edits by hand: one record changed, dropped or doubled on one side."""

from demo.pool import Pool
from demo.tables import TABLES

# What hangs on a record at the state, with the column that refers to it.
_BELOW = {
    "Enrollment": ("state_behavior", "state_english_learner", "state_graduation", "state_test_score"),
    "Employment": ("state_assignment",),
}


def set_columns(
    pool: Pool,
    district_id: str,
    object_name: str,
    key: str,
    *,
    at_state: str = "",
    at_district: str = "",
    text: str = "",
) -> None:
    """Sets columns of one record; `%(text)s` in an assignment stands for `text`."""
    tables, row = TABLES[object_name], {"district": district_id, "key": int(key), "text": text}
    if at_state:
        where = f"district_id = %(district)s and {tables.state_key} = %(key)s"
        pool.state.execute(f"update {tables.state} set {at_state} where {where}".encode(), row)
    if at_district:
        where = f"{tables.district_key} = %(key)s"
        pool.district(district_id).execute(f"update {tables.district} set {at_district} where {where}".encode(), row)


def drop_at_state(pool: Pool, district_id: str, object_name: str, key: str) -> None:
    """Deletes one record and all that hangs on it at the state."""
    if object_name == "PersonIdentity":
        pool.drop_at_state(district_id, [int(key)])
        return
    drop_below_at_state(pool, district_id, object_name, key)
    tables = TABLES[object_name]
    pool.state.execute(
        f"delete from {tables.state} where district_id = %s and {tables.state_key} = %s".encode(), (district_id, key)
    )


def drop_below_at_state(pool: Pool, district_id: str, object_name: str, key: str) -> None:
    """Deletes what hangs on an enrollment or employment at the state."""
    tables = TABLES[object_name]
    for below in _BELOW.get(object_name, ()):
        pool.state.execute(
            f"delete from {below} where {tables.state}_id = (select state_id from {tables.state}"
            f" where district_id = %s and {tables.state_key} = %s)".encode(),
            (district_id, key),
        )


def drop_at_district(pool: Pool, district_id: str, object_name: str, key: str) -> None:
    """Deletes one record at the district; nothing there stops it from leaving orphans."""
    tables = TABLES[object_name]
    pool.district(district_id).execute(
        f"delete from {tables.district} where {tables.district_key} = %s".encode(), (key,)
    )


def double_at_district(pool: Pool, district_id: str, person: str) -> None:
    """A merge gone wrong: a second identity under the same personID."""
    columns = "person_id, last_name, first_name, birthdate, gender, is_student, is_staff"
    pool.district(district_id).execute(
        f"insert into identity ({columns}) select {columns} from identity where person_id = %s".encode(), (person,)
    )


def double_at_state(pool: Pool, district_id: str, score: str) -> None:
    """The testing vendor delivers a score a second time."""
    columns = "district_id, district_score_id, state_enrollment_id, test_code, tested_on, scale_score, percentile_rank"
    pool.state.execute(
        f"insert into state_test_score ({columns}, vendor_batch) select {columns}, 'VENDOR' from state_test_score"
        " where district_id = %s and district_score_id = %s".encode(),
        (district_id, score),
    )
