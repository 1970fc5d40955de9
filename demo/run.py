"""The whole demonstration: stack up, data in, everything broken, real requests, the table, the proof.

Run as `python -m demo` or `make demo`. It can be repeated; each run loads its data afresh.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.databases import RESYNC, STACK, Databases, command_environment, find_databases
from demo.editor import Editor
from demo.generate import Size
from demo.history import History, Waited
from demo.load import SEED, load
from demo.orders import order
from demo.plant import plant
from demo.planted import STRICT, Kind, Ledger, Request, Wave
from demo.plants.faults import EDITS
from demo.plants.strict import LATE_DISTRICT, PHONE
from demo.progress import Progress
from demo.prove import gather, prove, replay_agrees
from demo.publish import publish
from demo.report import planted_against_found
from demo.schema import make_missing_tables
from demo.silent import SilentApplier
from demo.strict import Roles
from demo.submit import Submitted, Submitter
from stack import artifacts, config, download, process, roles, services
from stack.errors import StackError

DISTRICT_AWAY = "LAKE"
DOWNLOADS = "downloads, if any"
WIDTH = 150
SHOWN_AT_MOST = 20
PROVED = "history, districts and state agree, nothing else was touched, replay gives the same history."
THINGS_TO_TRY = """\
The stack is still running; `make down` stops it. Four things to try, in any order; none of them disturbs the proof:
  set -a; . {env}; set +a; export PATH="{bin}:$PATH"
  resync submit --district NORTH --object PersonIdentity --wait {mended} 007
  resync submit --district NORTH --object PersonIdentity --dry-run {unasked}
  resync report {request_id}
  STACK_DIR={stack} python -m demo.prove --self-test
Without --dry-run the second submit mends a record that nobody asked for, and then the proof no longer holds."""


class Demo:
    """One run over a running stack."""

    def __init__(self, progress: Progress) -> None:
        self.environment = command_environment()
        self.databases: Databases = find_databases()
        self.progress = progress
        self.complaints: list[str] = []
        self.refused: str | None = None
        self.history = History(self.databases.history, lambda: self.refused)
        self.roles = Roles()

    def fill(self, size: Size, seed: int) -> Ledger:
        """Loads and plants; strict roles meanwhile end what is asked for first."""
        with self.progress.step("earlier requests are let end"):
            if self.history.has_open():
                roles.start_all(STACK, dict.fromkeys(roles.DEFAULT, 1), self.progress.note)
                self.history.wait_until_quiet()
        make_missing_tables(self.databases)
        with ThreadPoolExecutor() as pool:
            strict = pool.submit(self.roles.start_strict)
            with self.progress.step(f"{size.persons} persons in three districts are loaded, and the state's copies"):
                load(self.databases, size, seed)
            with self.progress.step("roles with short deadlines and small limits are ready"):
                strict.result()
            first = list[Future[None]]()
            with self.progress.step("every kind of difference and fault is planted"):
                ledger = plant(self.databases, lambda asked: first.append(pool.submit(self._ask_strict, asked)))
            with self.progress.step("what is asked for first is held or has ended"):
                first[0].result()
        return ledger

    def _ask_strict(self, requests: Sequence[Request]) -> None:
        """While an applier is there that answers nothing."""
        applied = [(r.district_id, e.key) for r in requests for e in r.expected if e.kind == Kind.SEEN_EQUAL]
        silent = SilentApplier(self.databases, self.environment["RESYNC_RELEASE"], applied, PHONE, LATE_DISTRICT)
        silent.begin()
        publish(self.databases.bootstrap_servers, requests)
        self.history.wait_until_held_or_ended([r.request_id for r in requests])
        silent.end()

    def ask(self, ledger: Ledger, usual: Future[None]) -> None:
        """Makes every other request and waits until all have ended; `usual`: the roles as the stack has them."""
        waves = {wave: [r for r in ledger.requests if r.ask.wave is wave] for wave in Wave}
        later = [r for r in ledger.requests if r.ask.wave not in STRICT]
        with self.progress.counting("requests", len(later)):
            submitter = Submitter(self.environment, self._on_end)
            editors = self._start_editors(waves[Wave.CONFLICT])
            running = submitter.submit_aside(waves[Wave.CONFLICT])
            running += submitter.submit_in_order(waves[Wave.IN_ORDER])
            self._publish(waves)
            # The district whose database will be stopped comes first, so that its other requests are done by then.
            first = submitter.submit(r for r in waves[Wave.MAIN] if r.district_id == DISTRICT_AWAY)
            running += submitter.submit(r for r in waves[Wave.MAIN] if r.district_id != DISTRICT_AWAY)
            usual.result()
            self._order(waves[Wave.RELEASED] + waves[Wave.NOT_RELEASED])
            _wait(first)
            self._take_database_away(submitter, waves)
            _wait(running)
            self.history.wait_for_ends([r.request_id for r in ledger.requests])
            for editor in editors:
                editor.join()

    def _order(self, requests: Sequence[Request]) -> None:
        """All at once; returns when they are carried out."""
        with ThreadPoolExecutor() as pool:
            self.complaints += filter(None, pool.map(lambda request: order(self.environment, request), requests))

    def _publish(self, waves: dict[Wave, list[Request]]) -> None:
        """Past the command line; what goes out twice goes by two clients' rules of partitioning."""
        brokers = self.databases.bootstrap_servers
        publish(brokers, waves[Wave.PUBLISHED] + waves[Wave.PUBLISHED_TWICE])
        publish(brokers, waves[Wave.PUBLISHED_TWICE], partitioner="consistent")

    def _start_editors(self, requests: list[Request]) -> list[Editor]:
        """One editor for each record that is to be edited in between; each already holds its first edit."""
        editors = []
        for request in requests:
            expected = request.expected[0]
            edits = EDITS[Kind(expected.kind)]
            editors.append(Editor(self.databases.state, request.district_id, expected.key, edits))
        for editor in editors:
            editor.start()
        for editor in editors:
            editor.holds.wait()
        return editors

    def _take_database_away(self, submitter: Submitter, waves: dict[Wave, list[Request]]) -> None:
        """Stops one district's database, asks for its records and for another's, and starts it again."""
        away, cancelled, meanwhile = waves[Wave.AWAY], waves[Wave.CANCELLED], waves[Wave.MEANWHILE]
        waiting = away + cancelled
        self.progress.note(f"{DISTRICT_AWAY}'s database is stopped")
        services.stop(STACK, config.district_server(DISTRICT_AWAY))
        try:
            running = submitter.submit_aside(away)
            others = submitter.submit_aside(meanwhile)
            publish(self.databases.bootstrap_servers, cancelled)
            self.history.wait_until_deferred([r.request_id for r in waiting], sum(len(r.keys) for r in waiting))
            self._order(cancelled)
            _wait(others)
        finally:
            services.start(STACK, config.district_server(DISTRICT_AWAY))
        self.progress.note(f"{DISTRICT_AWAY}'s database is back")
        _wait(running)

    def judge(self, ledger: Ledger) -> tuple[Table, list[str]]:
        """Planted against found, and what contradicts it."""
        ends = self.history.ends([r.request_id for r in ledger.requests])
        with self.progress.step("the proof"), ExitStack() as stack:
            table = planted_against_found(gather(self.databases, stack), ends)
            problems = prove(self.databases, at_most=SHOWN_AT_MOST)
        with self.progress.step("history rebuilt from its topic and compared"):
            problems += [text for text in (replay_agrees(),) if text]
        return table, problems + self.complaints

    def _on_end(self, submitted: Submitted) -> None:
        self.progress.advance()
        complaint = submitted.complaint()
        if complaint:
            self.complaints.append(complaint)
        if submitted.was_refused():
            self.refused = complaint


def _wait(running: list[Future[Submitted]]) -> None:
    for job in running:
        job.result()


def things_to_try(ledger: Ledger) -> str:
    """Commands for the reader, each of which leaves the proof as it is: only what was asked for is asked for again."""
    request = next(r for r in ledger.requests if r.ask.wave is Wave.MAIN)
    of_persons = [r for r in ledger.requests if (r.district_id, r.object) == ("NORTH", "PersonIdentity")]
    return THINGS_TO_TRY.format(
        env=STACK.env_file,
        stack=STACK.dir,
        bin=Path(RESYNC).parent,
        request_id=request.request_id,
        mended=next(e.key for r in of_persons for e in r.expected if e.status == "APPLIED"),
        unasked=next(key for _, district_id, key in ledger.not_asked if district_id == "NORTH"),
    )


def demonstrate(progress: Progress, size: Size, seed: int) -> int:
    """The exit code: 0 if all that was planted was found and the proof holds."""
    console = progress.console
    demo = Demo(progress)
    try:
        ledger = demo.fill(size, seed)
    finally:
        usual = demo.roles.start_usual()
    demo.ask(ledger, usual)
    table, problems = demo.judge(ledger)
    console.print(table)
    for problem in problems:
        console.print(f"[bold red]{escape(problem)}", highlight=False, soft_wrap=True)
    downloads = progress.seconds.get(DOWNLOADS, 0.0)
    took = f"in {sum(progress.seconds.values()) - downloads:.0f} s, not counting {downloads:.0f} s of downloads"
    console.print(f"[bold red]Disproved[/] {took}" if problems else f"[bold green]Proved[/] {took}: {PROVED}")
    console.print(things_to_try(ledger), highlight=False, markup=False, soft_wrap=True)
    return 1 if problems else 0


def _fetch(progress: Progress) -> None:
    needed = [artifact for group in artifacts.read_lock().values() for artifact in group]
    download.fetch_missing(needed, artifacts.Cache.choose(os.environ), os.environ, progress.note)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--persons", type=int, default=Size().persons)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    progress = Progress(Console(width=None if sys.stdout.isatty() else WIDTH))
    process.heed_interrupts()
    try:
        with progress.step(DOWNLOADS):
            _fetch(progress)
        with progress.step("the stack is up"):
            services.start_all(STACK, say=progress.note)
        sys.exit(demonstrate(progress, Size(persons=arguments.persons), arguments.seed))
    except (StackError, Waited) as error:
        progress.console.print(f"[bold red]{error}")
        sys.exit(1)
    except KeyboardInterrupt:
        progress.console.print("interrupted: `make demo` begins afresh, `make down` stops the stack")
        sys.exit(130)
