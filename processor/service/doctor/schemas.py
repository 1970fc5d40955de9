"""Judges the schema registry's subjects."""

from collections.abc import Iterator, Sequence

from processor.service.doctor.facts import Subject
from processor.service.doctor.findings import Check, Finding, error, warning

_AS_STRICT = {
    "BACKWARD_TRANSITIVE": frozenset({"BACKWARD_TRANSITIVE", "FULL_TRANSITIVE"}),
    "FULL_TRANSITIVE": frozenset({"FULL_TRANSITIVE"}),
}


def judge_subjects(subjects: Sequence[Subject]) -> Iterator[Finding]:
    for subject in subjects:
        if not subject.holds_ours:
            yield error(
                Check.SCHEMAS,
                subject.name,
                "the registry does not hold this release's schema under the subject: no role can write it",
                "register it; what is registered is left as it is",
                "resync topics create",
            )
        elif subject.rule not in _AS_STRICT[subject.wanted]:
            yield error(
                Check.COMPATIBILITY,
                subject.name,
                f"its compatibility level is {subject.rule}, it must be {subject.wanted}: anybody could register what"
                " readers cannot read",
                "set it",
                "resync topics create",
            )
        if subject.later:
            yield warning(
                Check.SCHEMAS,
                subject.name,
                f"holds version {max(subject.later)}, which is in no archive: a later release, or somebody else, has"
                " registered it",
                "run the later release everywhere, or add its schema to the archive in the folder RESYNC_SCHEMAS",
            )
