"""A state's database of one's own, corrections for it, and what became of them."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, LiteralString

import psycopg

from processor.adapters.postgres.state_writer import PostgresStateWriter
from processor.core.chunk import Cause
from processor.core.correction import Answer, Correction, Op, Result, Source
from processor.core.request import Dependencies, Mode, OnStateOnly
from processor.core.snapshot import DistrictVersion
from processor.core.values import Values
from tests.applying import apply
from tests.integration.applier.arrived import arrived
from tests.integration.applier.catalog import CATALOG

NOW = datetime(2026, 8, 3, 12, tzinfo=UTC)
_SENDINGS = count()


def version(xmax: int, in_progress: int = 0, epoch: int = 1) -> DistrictVersion:
    return DistrictVersion(epoch, xmax, in_progress)


def source(object_name: str, key: str, district: str = "NORTH", **changes: Any) -> Source:
    sent_at = NOW + timedelta(microseconds=next(_SENDINGS))
    made = Source(
        request_id=str(uuid.uuid4()),
        chunk="0",
        correction_id=str(uuid.uuid4()),
        district_id=district,
        object=object_name,
        key=key,
        asked_as=key,
        attempt=1,
        cause=Cause.REQUEST,
        mode=Mode.SYNC,
        dependencies=Dependencies.NONE,
        on_state_only=OnStateOnly.REPORT,
        changed_fields=(),
        parent=None,
        district_version=version(100),
        district_read_at=NOW,
        state_read_at=NOW,
        first_decided_at=NOW,
        sent_at=sent_at,
    )
    return replace(made, **changes)


def complete(object_name: str, held: Values) -> Values:
    """All district-owned fields; those not given are null."""
    return {f.name: held.get(f.name) for f in CATALOG.objects[object_name].owned}


def create(object_name: str, key: str, after: Values, xmax: int = 100, district: str = "NORTH") -> Correction:
    made = source(object_name, key, district, district_version=version(xmax))
    return Correction(Op.CREATE, None, complete(object_name, after), None, made)


def update(
    object_name: str, key: str, before: Values, change: Values, xmax: int = 100, *, district: str = "NORTH"
) -> Correction:
    """`change` as those fields that differ from `before`."""
    made = source(object_name, key, district, district_version=version(xmax), changed_fields=tuple(change))
    was = complete(object_name, before)
    return Correction(Op.UPDATE, was, {**was, **change}, None, made)


def force(object_name: str, key: str, held: Values, xmax: int = 100) -> Correction:
    made = source(object_name, key, district_version=version(xmax), mode=Mode.FORCE)
    return Correction(Op.UPDATE, complete(object_name, held), complete(object_name, held), None, made)


def delete(object_name: str, key: str, before: Values, xmax: int = 100, district: str = "NORTH") -> Correction:
    made = source(object_name, key, district, district_version=version(xmax))
    return Correction(Op.DELETE, complete(object_name, before), None, None, made)


def with_source(correction: Correction, **changes: Any) -> Correction:
    return replace(correction, source=replace(correction.source, **changes))


class World:
    """`dsn` names a database with the tables of `tables.sql`; `edit` is another user of it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._writers: list[PostgresStateWriter] = []
        self.connection = psycopg.connect(dsn, autocommit=True, options="-c TimeZone=UTC")
        self.writer = self.another_writer()

    def another_writer(self, **settings: Any) -> PostgresStateWriter:
        writer = PostgresStateWriter(self.dsn, CATALOG, **settings)
        self._writers.append(writer)
        return writer

    def close(self) -> None:
        for writer in self._writers:
            writer.close()
        self.connection.close()

    def apply(self, *corrections: Correction) -> list[Answer]:
        """As off the wire; `processor.service.apply` itself takes rows that were read, too."""
        return apply([arrived(correction) for correction in corrections], self.writer, NOW)

    def results(self, *corrections: Correction) -> list[Result]:
        return [answer.result for answer in self.apply(*corrections)]

    def said(self, correction: Correction) -> tuple[Result, str | None]:
        (answer,) = self.apply(correction)
        return answer.result, answer.detail

    def edit(self, statement: LiteralString, *parameters: Any) -> None:
        self.connection.execute(statement, parameters)

    def rows(self, statement: LiteralString, *parameters: Any) -> Sequence[tuple[Any, ...]]:
        return self.connection.execute(statement, parameters).fetchall()

    def recorded(self, object_name: str, key: str) -> tuple[int, int, int] | None:
        rows = self.rows(
            "select epoch, snapshot_xmax, -in_progress from resync_applier.versions where object = %s and key = %s",
            object_name,
            key,
        )
        return rows[0] if rows else None
