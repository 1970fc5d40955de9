"""`resync doctor`: look at everything that the service needs, and say what is wrong and how to mend it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.cli.exits import ExitCode
from processor.cli.output import Output, print_json, print_line, print_rows, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.service.doctor.findings import Finding

_COLUMNS = ("level", "check", "where", "what", "advice", "command")


def doctor(
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")] = Output.TABLE,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a part counts as away.")] = 30.0,
) -> None:
    """Check topics, schemas, databases, rights, indexes, types, clocks and groups against settings and catalog.

    Changes nothing. Each finding says what is wrong and how to mend it. Exit code 1 if there is an error; warnings
    alone give 0. What each check is for: docs/doctor.md.
    """
    from processor.cli.doctor_parts import open_doctor
    from processor.cli.progress import counting
    from processor.service.doctor.findings import Level
    from processor.service.doctor.judge import judge
    from processor.settings import load_settings

    asked = open_doctor(load_settings())
    with counting("looking") as tell:
        seen = asked.examine(timeout, tell)
    findings = judge(seen, asked.expected)
    errors = sum(finding.level is Level.ERROR for finding in findings)
    documents = [_document(finding) for finding in findings]
    if output is Output.JSON:
        print_json({"errors": errors, "warnings": len(findings) - errors, "findings": documents})
    elif output is Output.TABLE:
        _print(findings)
    else:
        print_rows(output, _COLUMNS, documents)
    say(f"{len(asked.looks)} parts looked at: {_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}")
    if errors:
        raise typer.Exit(ExitCode.FAILED)


def _print(findings: "Sequence[Finding]") -> None:
    from processor.core.printable import printable

    for finding in findings:
        print_line(printable(f"{finding.level} {finding.check} at {finding.where}: {finding.what}"))
        print_line(printable(f"  to do    {finding.advice}"))
        if finding.command is not None:
            print_line(printable(f"  run      {finding.command}"))


def _document(finding: "Finding") -> dict[str, Any]:
    return {name: getattr(finding, name) for name in _COLUMNS}


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
