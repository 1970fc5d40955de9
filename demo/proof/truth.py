"""Whether a record is equal on both sides, by SQL over both databases and the files that people maintain."""

import csv
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import psycopg
from psycopg.rows import dict_row

from demo.proof.claims import Claim

DEMO = Path(__file__).parents[1]
SCHEMAS = DEMO.parent / "schemas" / "objects"
CROSSWALKS = {
    "PersonIdentity": {"gender": "gender", "raceEthnicity": "race_ethnicity"},
    "Enrollment": {"grade": "grade"},
}

Row: TypeAlias = dict[str, str | None]
Rows: TypeAlias = dict[str, list[Row]]
"""Rows by key."""


class Truth:
    """Reads one object on both sides, spelled alike."""

    def __init__(self, object_name: str) -> None:
        self.object = object_name
        self._sql = named_blocks(DEMO / "sql" / "truth" / f"{object_name}.sql")
        schema = json.loads((SCHEMAS / f"{object_name}.avsc").read_text())
        self._rules: dict[str, list[str]] = {f["name"]: f.get("compare", []) for f in schema["fields"]}
        self._crosswalks = {field: _read_crosswalk(name) for field, name in CROSSWALKS.get(object_name, {}).items()}

    def district_rows(self, district: psycopg.Connection, keys: Iterable[str]) -> Rows:
        return self._grouped(_query(district, self._sql["district"], {"keys": list(keys)}), self._crosswalks)

    def state_rows(self, state: psycopg.Connection, district_id: str, keys: Iterable[str]) -> Rows:
        return self._grouped(_query(state, self._sql["state"], {"district": district_id, "keys": list(keys)}), {})

    def _grouped(self, rows: Iterable[Row], crosswalks: Mapping[str, Mapping[str, str]]) -> Rows:
        grouped: Rows = {}
        for row in rows:
            key = str(row.pop("key"))
            for field, crosswalk in crosswalks.items():
                code = row[field]
                row[field] = None if code is None else crosswalk.get(code, f"no translation of {field}")
            grouped.setdefault(key, []).append({f: _normal(text, self._rules[f]) for f, text in row.items()})
        return grouped


def check_equal(
    claims: Iterable[Claim], state: psycopg.Connection, districts: Mapping[str, psycopg.Connection]
) -> Iterator[str]:
    """Each key that history calls IN_SYNC or APPLIED is equal on both sides in every district-owned field."""
    groups: dict[tuple[str, str], dict[str, Claim]] = {}
    for claim in claims:
        if claim.status in ("IN_SYNC", "APPLIED"):
            groups.setdefault((claim.object, claim.district_id), {})[claim.key] = claim
    for (object_name, district_id), by_key in groups.items():
        truth = Truth(object_name)
        here = truth.district_rows(districts[district_id], by_key)
        there = truth.state_rows(state, district_id, by_key)
        for key, claim in by_key.items():
            problem = _unequal(here.get(key, []), there.get(key, []), claim.status)
            if problem:
                yield f"{district_id} {object_name} {key} is {claim.status} in history, but {problem}"


def _unequal(here: list[Row], there: list[Row], status: str) -> str | None:
    if status == "APPLIED" and not here and not there:
        return None
    if len(here) != 1 or len(there) != 1:
        return f"the district has {len(here)} rows and the state {len(there)}"
    differing = [field for field in here[0] if here[0][field] != there[0][field]]
    return f"the sides differ in {', '.join(differing)}" if differing else None


def check_not_asked(
    records: Iterable[tuple[str, str, str]], state: psycopg.Connection, districts: Mapping[str, psycopg.Connection]
) -> Iterator[str]:
    """Records that differed and that nobody asked for differ still."""
    for object_name, district_id, key in records:
        truth = Truth(object_name)
        here, there = truth.district_rows(districts[district_id], [key]), truth.state_rows(state, district_id, [key])
        if here == there:
            yield f"{district_id} {object_name} {key} became equal although nobody asked for it"


def _normal(text: str | None, rules: list[str]) -> str | None:
    if text is None:
        return "" if "null-is-empty" in rules else None
    if "nfc" in rules:
        text = unicodedata.normalize("NFC", text)
    if "trim" in rules:
        text = text.strip()
    return text.casefold() if "casefold" in rules else text


def _query(connection: psycopg.Connection, sql: str, values: Mapping[str, object]) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows: list[Row] = cursor.execute(sql.encode(), values).fetchall()
        return rows


def _read_crosswalk(name: str) -> dict[str, str]:
    with (DEMO / "crosswalks" / f"{name}.csv").open(newline="") as file:
        return {row["district"]: row["state"] for row in csv.DictReader(file)}


def named_blocks(file: Path) -> dict[str, str]:
    """The statements of a file by the name in the `-- side:` line above each."""
    blocks = file.read_text().split("-- side: ")[1:]
    return {name.strip(): sql for name, _, sql in (block.partition("\n") for block in blocks)}
