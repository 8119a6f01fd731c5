"""How the dashboard does with 20,000 tasks on screen, in a real terminal: time, keys, CPU, bytes, memory."""

import compileall
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runners.config.home import Home
from runners.engine.lock import Lock
from runners.states import State
from runners.store.writer import Writer
from tests.bench.figures import Figure
from tests.bench.local_work import RUNYARD
from tests.terminal.session import TerminalSession
from tests.tui.stores import files, large

ROOT = Path(__file__).parents[2]

TASKS = 20_000
RUN = "b1gb1gb1"
FIRST_ITEM = files(1)[0].rpartition("/")[2]
"""Part of the first task's item: as soon as it is shown, the screen is of use."""

KEYS = ("down", "down", "pagedown", "up", "end", "up", "pageup", "home") * 6
IDLE_S = 20.0
UPDATES, ROUNDS = 20, 12
HOUR_S = 120.0
"""Seconds into which the updates of an hour, all tasks starting and ending, are pressed."""


@contextmanager
def dashboard() -> Iterator[tuple[TerminalSession, Writer, float]]:
    """The dashboard on a run of 20,000 tasks, the store it shows, and the seconds until it was of use."""
    with tempfile.TemporaryDirectory(prefix="runyard-bench-") as folder:
        home = Home.at(Path(folder))
        home.make()
        # Or else the dashboard would start an engine, which would find no worker of this made-up run.
        lock = Lock.take(home.lock)
        writer = Writer.open(home.database)
        try:
            large(writer, TASKS)
            command = [RUNYARD, "--run", RUN]
            began = time.perf_counter()
            with TerminalSession(
                command, columns=160, rows=45, environment={"RUNYARD_HOME": folder}
            ) as terminal:
                # In the bytes: drawing the screen from them takes this process longer than sending them.
                while FIRST_ITEM.encode() not in terminal.output:
                    if not terminal.read(10.0):
                        raise TimeoutError(f"nothing came for 10 s. On the screen:\n{terminal.text}")
                took = time.perf_counter() - began
                yield terminal, writer, took
        finally:
            writer.close()
            lock.release()


def on_screen() -> Iterator[Figure]:
    """First frame, keys, idle CPU and bytes, and bytes for a task that changes state."""
    # As `make install` leaves them, also where they were edited since.
    for package in ("runners", "tui"):
        compileall.compile_dir(ROOT / package, quiet=1)
    firsts = []
    for _ in range(3):
        with dashboard() as (terminal, _writer, took):
            firsts.append(took)
    yield Figure("dashboard, 20,000 tasks: first useful frame", statistics.median(firsts), "s", 0.5)
    with dashboard() as (terminal, writer, _took):
        terminal.settle(0.5)
        waits = sorted(terminal.latency(key) for key in KEYS)
        yield Figure("… a key is answered within, p90", waits[int(len(waits) * 0.9)] * 1000, "ms", 30)
        _end_what_runs(writer)
        terminal.press("home")
        terminal.settle(1.5)
        cpu = terminal.cpu_seconds()
        sent = terminal.pump(IDLE_S)
        yield Figure("… CPU of one core when idle", 100 * (terminal.cpu_seconds() - cpu) / IDLE_S, "%", 1.5)
        yield Figure("… bytes to the terminal when nothing changes", sent, "B", 0)
        yield Figure(
            "… bytes for each task that changes state", _bytes_per_change(terminal, writer), "B", 1000
        )


def an_hour() -> Iterator[Figure]:
    """Memory over an hour's worth of updates: each of the tasks starts and ends."""
    with dashboard() as (terminal, writer, _took):
        terminal.settle(0.5)
        tick, step = 0.1, int(TASKS / (HOUR_S / 0.1)) + 1
        # A first turn through all tasks fills caches that are bounded; a second must add nothing.
        held = []
        for _ in range(2):
            for first in range(0, TASKS, step):
                change_states(writer, range(first, min(first + step, TASKS)), State.RUNNING)
                terminal.pump(tick / 2)
                change_states(writer, range(first, min(first + step, TASKS)), State.DONE)
                terminal.pump(tick / 2)
            held.append(terminal.rss_mb())
        yield Figure(
            "… memory grown over an hour's worth of updates",
            held[1] - held[0],
            "MB",
            3,
            f"{held[1]:.0f} MB held",
        )


def change_states(writer: Writer, indices: range, state: State) -> None:
    """Tasks change their state, as the engine would write it."""
    now = time.time()
    facts = {"started": now} if state is State.RUNNING else {"ended": now, "wall_s": 1.0, "max_rss_mb": 12.5}
    with writer.change() as change:
        for index in indices:
            change.update("tasks", {"run": RUN, "index": index}, {"state": state.value, **facts})
        change.recount(RUN)


def _end_what_runs(writer: Writer) -> None:
    """Nothing runs any more: no elapsed time goes on."""
    now = time.time()
    with writer.change() as change:
        change.execute("DELETE FROM slots")
        change.execute(
            "UPDATE tasks SET state = 'done', ended = ?, revision = ? WHERE state = 'running'",
            (now, change.revision),
        )
        change.update("batches", {"run": RUN}, {"state": "done", "ended": now})
        change.update("steps", {"run": RUN}, {"state": "done"})
        change.update("runs", {"id": RUN}, {"state": "failed", "ended": now})
        change.recount(RUN)


def _bytes_per_change(terminal: TerminalSession, writer: Writer) -> float:
    """Tasks on screen end, a few at a time, as in a busy run."""
    sent = 0
    for round_number in range(ROUNDS):
        state = State.FAILED if round_number % 2 else State.DONE
        change_states(writer, range(UPDATES), state)
        sent += terminal.pump(1.0)
    return sent / (ROUNDS * UPDATES)
