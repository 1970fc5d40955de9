"""Proves, without the services' code, that the databases are what history says; exit code 1 with what it finds first.

Run as `python -m demo.prove [--self-test]` after `python -m demo`. The self-test needs a state that is proved: it
tampers with one thing at a time there, in a transaction that is rolled back, and expects to be caught each time.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg

from demo.databases import RESYNC, STACK, Databases, command_environment, connect, find_databases
from demo.plant import PLANTED
from demo.planted import read_planted
from demo.proof.claims import Claim, check_outcomes, check_requests, read_claims
from demo.proof.privacy import check_values_stay
from demo.proof.truth import check_equal, check_not_asked
from demo.proof.untouched import check_untouched
from stack.errors import StackError


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the proof looks at."""

    planted: Mapping[str, Any]
    claims: list[Claim]
    history: psycopg.Connection
    state: psycopg.Connection
    districts: Mapping[str, psycopg.Connection]
    bootstrap_servers: str

    def counter_examples(self) -> Iterator[tuple[str, str]]:
        """What contradicts the claims: the statement that fails, and how."""
        statements = {
            "each request ended as planted": check_requests(self.history, self.planted["requests"]),
            "each planted key has the planted outcome": check_outcomes(self.claims, self.planted["requests"]),
            "each key APPLIED or IN_SYNC is equal on both sides": check_equal(self.claims, self.state, self.districts),
            "each other row and column of the state is as before": check_untouched(
                self.state, self.claims, self.planted["edited"]
            ),
            "what nobody asked for differs still": check_not_asked(
                self.planted["not_asked"], self.state, self.districts
            ),
            "no value of a field is anywhere but in corrections, and none withheld is there": check_values_stay(
                self.planted["secrets"],
                self.planted["withheld"],
                self.bootstrap_servers,
                self.history,
                STACK.run_dir,
            ),
        }
        for statement, found in statements.items():
            for example in found:
                yield statement, example


def gather(databases: Databases, stack: ExitStack) -> Evidence:
    connections = {name: stack.enter_context(connect(dsn)) for name, dsn in databases.districts.items()}
    state, history = (stack.enter_context(connect(dsn)) for dsn in (databases.state, databases.history))
    if not PLANTED.is_file():
        raise StackError(f"{PLANTED} is missing: `make demo` plants and writes it")
    planted = read_planted(PLANTED)
    claims = read_claims(history, [r["request_id"] for r in planted["requests"]])
    return Evidence(planted, claims, history, state, connections, databases.bootstrap_servers)


def prove(databases: Databases, *, at_most: int = 1) -> list[str]:
    """The first counter-examples; none means proved."""
    with ExitStack() as stack:
        found = gather(databases, stack).counter_examples()
        return [f"{statement}: {example}" for (statement, example), _ in zip(found, range(at_most), strict=False)]


def replay_agrees() -> str | None:
    """Has history rebuilt from its topic and compared; None if both are equal."""
    done = subprocess.run(
        [RESYNC, "replay", "--verify"],
        env=command_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return (
        None
        if done.returncode == 0
        else f"replay --verify exited {done.returncode}: {(done.stderr or done.stdout).strip()}"
    )


_TAMPERINGS = {
    "a row that was repaired loses its repair": "update state_person set postal_code = 'tampered'"
    " where state_id = (select n.state_id from state_person n join demo_before.state_person b using (state_id)"
    " where n.postal_code <> b.postal_code limit 1)",
    "a state-owned value changes": "update state_person set funding_code = 'X'"
    " where state_id = (select n.state_id from state_person n join demo_before.state_person b using (state_id)"
    " where n.postal_code <> b.postal_code limit 1)",
    "a row that nobody asked for is written again as it is": "update state_person set city_name = city_name"
    " where (district_id, district_person_id) = (select district_id, max(district_person_id) from state_person"
    " where state_id < 90000000 group by district_id limit 1)",
    "what others wrote meanwhile is written over": "update state_person set phone_number = '555-0123'"
    " where phone_number = '555-0004' and district_id = 'NORTH'",
    "what was rejected, cancelled or not allowed is carried out": "update state_person"
    " set street_address = '13 Withheld Road' where street_address = '12 Withheld Road'",
    "a row disappears": "delete from state_test_score where state_id = (select max(state_id) from state_test_score)",
    "a row appears": "insert into state_person (district_id, district_person_id, legal_last_name, legal_first_name)"
    " values ('LAKE', 999999, 'No', 'One')",
}


def self_test(databases: Databases) -> list[str]:
    """Tamperings that the proof overlooked; none is good. Raises StackError where it fails without any.

    What is disproved already would be found again with each tampering, which would then seem to be caught.
    """
    if found := prove(databases):
        raise StackError(
            f"the self-test tampers with what is proved, and this is disproved already: {found[0]};"
            " `make demo` begins afresh"
        )
    overlooked = []
    for name, tampering in _TAMPERINGS.items():
        with ExitStack() as stack:
            evidence = gather(databases, stack)
            with evidence.state.transaction(force_rollback=True):
                evidence.state.execute(tampering.encode())
                example = next(evidence.counter_examples(), None)
        print(f"{name}: {'caught, ' + example[1] if example else 'OVERLOOKED'}")
        if example is None:
            overlooked.append(name)
    return overlooked


def _run(arguments: argparse.Namespace) -> list[str]:
    """Raises StackError and OperationalError where there is nothing to look at."""
    databases = find_databases()
    if arguments.self_test:
        sys.exit(1 if self_test(databases) else 0)
    found = prove(databases, at_most=arguments.show)
    return found or [text for text in (replay_agrees(),) if text]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--show", type=int, default=1, help="how many counter-examples to print")
    arguments = parser.parse_args()
    try:
        found = _run(arguments)
    except StackError as fault:
        sys.exit(f"Nothing was proved: {fault}")
    except psycopg.OperationalError as fault:
        why = str(fault).strip().partition("\n")[0]
        sys.exit(f"Nothing was proved: a database does not answer, `make up` starts it ({why})")
    for example in found:
        print(f"Disproved. {example}", file=sys.stderr)
    if found:
        sys.exit(1)
    print("Proved: history, districts and state agree, nothing else was touched, and replay gives the same history.")


if __name__ == "__main__":
    main()
