"""The dashboard as a program in a terminal: signals, crashes, and what it costs in bytes."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runners.batches import Line
from runners.config.home import Home
from runners.engine.lock import Lock
from runners.states import State
from runners.store.writer import Writer
from runners.transport.records import CommandRecord
from tests.terminal.session import TerminalSession
from tests.tui import stores
from tests.tui.stage import make_home

pytestmark = pytest.mark.terminal

ROOT = Path(__file__).parents[2]

SHOW = """
import sys
from pathlib import Path
from runners.config.home import Home
from tui.app import run_dashboard
sys.exit(run_dashboard(Home.at(Path(sys.argv[1])), run=sys.argv[2] if len(sys.argv) > 2 else None))
"""

RUN = "b1gb1gb1"


def dashboard(home: Home, *arguments: str, code: str = SHOW) -> TerminalSession:
    command = [sys.executable, "-c", code, str(home.state.parent), *arguments]
    return TerminalSession(command, columns=160, rows=45, folder=ROOT)


@pytest.fixture
def ended(tmp_path: Path) -> Home:
    """A home where nothing goes on."""
    return make_home(
        tmp_path,
        lambda writer: stores.tell(
            writer,
            stores.Tale(
                RUN, "over", State.DONE, stores.files(2000), None, State.DONE, began=9000, ended=8000
            ),
        ),
    )


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Home]:
    """A home with a large run."""
    home = make_home(tmp_path, lambda writer: stores.large(writer, 5_000))
    # Or else the dashboard would start an engine, which would find no worker of this made-up run.
    lock = Lock.take(home.lock)
    yield home
    lock.release()


@pytest.fixture
def terminal(ended: Home) -> Iterator[TerminalSession]:
    with dashboard(ended, RUN) as session:
        session.wait_for("Tasks  2,000")
        # The last thing to come: with it comes the library that reads workflows.
        session.wait_for("command gzip -kc /srv/")
        yield session


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_gives_the_terminal_back(
    terminal: TerminalSession, number: signal.Signals
) -> None:
    terminal.forget()
    terminal.process.send_signal(number)
    assert terminal.wait_for_exit(5.0) == 128 + number
    for sequence in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h"):
        assert sequence in terminal.output


def test_q_leaves(terminal: TerminalSession) -> None:
    terminal.press("q")
    assert terminal.wait_for_exit(5.0) == 0


def test_nothing_is_sent_while_nothing_changes(terminal: TerminalSession) -> None:
    terminal.settle()
    terminal.forget()
    assert terminal.read(3.0) == b""


def test_a_task_that_changes_costs_less_than_a_kilobyte(live: Home) -> None:
    with dashboard(live, RUN) as session:
        session.wait_for("Tasks  5,000")
        session.settle()
        # So that the clock's ticks are not counted with it.
        writer = Writer.open(live.database)
        with writer.change() as change:
            change.execute("UPDATE runs SET state = 'unknown', ended = started + 60")
            change.execute("UPDATE tasks SET state = 'done' WHERE state = 'running'")
            change.recount(RUN)
        session.settle()
        costs = []
        for index in range(6):
            session.forget()
            with writer.change() as change:
                facts = {"state": State.FAILED.value, "reason": "exit code 3", "wall_s": 2.0}
                change.update("tasks", {"run": RUN, "index": index}, facts)
                change.recount(RUN)
            session.wait_for(f"{index + 1} failed")
            session.settle()
            costs.append(len(session.output))
        writer.close()
        # The first turns a piece of the bar red, and the task that the cursor is on is told below as well.
        assert costs[0] < 2000 and max(costs[1:]) < 1000, costs


def test_a_defect_is_told_once_with_its_reason(ended: Home) -> None:
    code = SHOW.replace(
        "sys.exit(",
        "from tui.screens.runs import RunsPage\n"
        "def broken(self, picture): raise ZeroDivisionError('told once')\n"
        "RunsPage.show = broken\nsys.exit(",
    )
    with dashboard(ended, code=code) as session:
        assert session.wait_for_exit(10.0) == 1
        while session.read(0.2):
            pass
        told = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", session.output)
        assert told.count(b"ZeroDivisionError: told once") == 1
        assert b"Your runs go on" in told
        assert b"\x1b[?1049l" in session.output


NOTED = """
import gc
from tui.screens.run import RunPage
show = RunPage.show
def noting(page, picture):
    show(page, picture)
    if picture.run is not None:
        RunPage.show = show
        Path(sys.argv[3]).write_text(f"{gc.isenabled()} {gc.get_freeze_count()} {' '.join(sys.modules)}")
RunPage.show = noting
"""
"""Writes down what was imported until a run is shown for the first time, and how garbage is looked for."""

HEAVY = {
    "asyncssh",
    "pydantic.main",
    "runners.batches",
    "runners.engine.client",
    "runners.launching",
    "runners.transport.base",
    "textual.widgets._markdown",
    "textual.widgets._text_area",
    "tree_sitter",
    "tui.screens.ask",
    "tui.screens.help",
    "tui.screens.palette",
    "tui.widgets.batches_pane",
    "tui.widgets.log_pane",
}
"""Each of them takes milliseconds, and is of use only to what a person does next."""


def test_the_first_frame_needs_nothing_heavy(ended: Home, tmp_path: Path) -> None:
    noted = tmp_path / "imported"
    with dashboard(ended, RUN, str(noted), code=SHOW.replace("sys.exit(", f"{NOTED}sys.exit(")) as session:
        session.wait_for("Tasks  2")
    looked_for, frozen, *imported = noted.read_text().split()
    assert "tui.widgets.tasks_pane" in imported
    assert HEAVY.isdisjoint(imported)
    # What is imported is not looked through for garbage; all that comes later is.
    assert looked_for == "True"
    assert int(frozen) > 10_000


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Home]:
    """A home where nothing but a run on a cluster goes on, which waits."""

    def tell(writer: Writer) -> None:
        held = stores.Tale("w0h41d5s", "held", State.PENDING, ["a"], reason="waiting: no more")
        # Launched long ago: its age is told in days.
        stores.tell(writer, replace(held, resource="alps", profile="mira", began=400 * 86_400.0))

    home = make_home(tmp_path, tell)
    lock = Lock.take(home.lock)
    yield home
    lock.release()


def test_looks_at_a_cluster_that_bring_nothing_new_send_nothing(held: Home) -> None:
    writer = Writer.open(held.database)

    def look(line: Line) -> None:
        with writer.change() as change:
            change.keep_place("alps", "mira", "ssh:mira@alps", line, now=time.time())
            change.add_commands([CommandRecord(time.time(), "ssh:mira@alps", "squeue", 0, 0.1, "", "")])

    look(Line(True, 0.024))
    with dashboard(held) as session:
        session.wait_for("● up  alps as mira   24 ms  no batches  just now")
        session.settle(0.5)
        session.forget()
        for _ in range(3):
            session.pump(2.2)
            look(Line(True, 0.024))
        session.pump(1.0)
        assert session.output == b""
        look(Line(False, None, "No route to alps."))
        session.wait_for("✗ unreachable  alps as mira  stale, as of")
        session.settle()
        assert len(session.output) < 3000
    writer.close()


def test_a_command_that_is_followed_costs_no_more_than_its_lines(held: Home) -> None:
    writer = Writer.open(held.database)
    with dashboard(held) as session:
        session.wait_for("Runs")
        session.press("L")
        session.wait_for("No command has been run")
        costs = []
        for number in range(8):
            session.settle()
            session.forget()
            with writer.change() as change:
                record = CommandRecord(
                    time.time(), "ssh:mira@alps", f"squeue --number={number}", 0, 0.1, "", ""
                )
                change.add_commands([record])
            session.wait_for(f"Commands  {number + 1}")
            session.settle()
            costs.append(len(session.output))
        assert max(costs[1:]) < 2500, costs
    writer.close()
