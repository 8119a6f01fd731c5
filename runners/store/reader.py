"""Reading the store: what the dashboard and the command line show."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from runners.states import RequestState, State
from runners.store.database import StoreError, connect
from runners.store.rows import (
    BatchRow,
    CommandRow,
    Counts,
    EventRow,
    PlaceRow,
    RequestRow,
    RunRow,
    SlotRow,
    StepRow,
    TaskRow,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

OPEN = f"state IN ({', '.join(repr(state.value) for state in State if not state.final)})"
"""Of a run or task to which something can still happen. A verdict stays: no later fact changes it."""

_STATES = {state.value: state for state in State}
_TASK_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(TaskRow))
_RUN_COLUMNS = (
    "id, name, resource, profile, retry_of, state, reason, created, started, ended, pending, running, done, "
    "failed, cancelled, unknown, folder, workdir, cancelling, revision"
)
"""Without what a run was asked to do, which may be large."""

_COUNTS = ("pending", "running", "done", "failed", "cancelled", "unknown")


COMMANDS_KEPT = 5_000
"""So many of the newest commands are kept."""


class UnknownRunError(StoreError):
    """No run, or more than one, goes by the name that was given."""


class Reader:
    """Queries on the store. Blocking, and bound to one thread at a time: keep one for each thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the store at *path*, making it if it is not there.

        Raises:
            StoreError: it can't be opened.
        """
        return cls(connect(path))

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several queries that see the store at one moment."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def query(self, statement: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """What a SELECT finds, for the modules beside this one."""
        return self._db.execute(statement, tuple(values)).fetchall()

    # What has changed

    def data_version(self) -> int:
        """A number that changes when another connection has written. A few microseconds."""
        version: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        return version

    def revision(self) -> int:
        """The number of the last write. Every row carries the revision that last changed it."""
        value: int = self._db.execute("SELECT value FROM revision").fetchone()[0]
        return value

    def heard(self) -> float:
        """When anything was heard of the runs last, in seconds since the epoch; 0 if never.

        What the store says was true then; nobody can tell whether it is now, unless an engine is running.
        """
        latest = self._db.execute(
            "SELECT max(coalesce((SELECT max(heard) FROM slots), 0),"
            " coalesce((SELECT created FROM runs ORDER BY number DESC LIMIT 1), 0),"
            " coalesce((SELECT time FROM events ORDER BY id DESC LIMIT 1), 0))"
        ).fetchone()
        return float(latest[0])

    # Runs

    def runs(self, *, since: int = 0) -> list[RunRow]:
        """All runs changed after revision *since*, newest first."""
        rows = self._db.execute(
            f"SELECT {_RUN_COLUMNS} FROM runs WHERE revision > ? ORDER BY number DESC", (since,)
        )
        return [_run(row) for row in rows]

    def live_runs(self) -> list[RunRow]:
        """The runs to which something can still happen, oldest first."""
        rows = self._db.execute(f"SELECT {_RUN_COLUMNS} FROM runs WHERE {OPEN} ORDER BY number")
        return [_run(row) for row in rows]

    def run(self, run: str) -> RunRow:
        """The run with exactly this id.

        Raises:
            UnknownRunError: there is none.
        """
        row = self._db.execute(f"SELECT {_RUN_COLUMNS} FROM runs WHERE id = ?", (run,)).fetchone()
        if row is None:
            raise _no_run(run)
        return _run(row)

    def find_run(self, name: str) -> RunRow:
        """The run that *name* means: an id, a unique prefix of one, a name that one run has, or ``last``.

        Raises:
            UnknownRunError: no run, or several, are meant.
        """
        if name == "last":
            rows = self._db.execute(
                f"SELECT {_RUN_COLUMNS} FROM runs ORDER BY number DESC LIMIT 1"
            ).fetchall()
        else:
            rows = self._db.execute(f"SELECT {_RUN_COLUMNS} FROM runs WHERE id = ?", (name,)).fetchall()
            if not rows and name:
                rows = self._db.execute(
                    f"SELECT {_RUN_COLUMNS} FROM runs WHERE substr(id, 1, ?) = ? ORDER BY number DESC",
                    (len(name), name),
                ).fetchall()
            if not rows:
                rows = self._db.execute(
                    f"SELECT {_RUN_COLUMNS} FROM runs WHERE name = ? ORDER BY number DESC", (name,)
                ).fetchall()
        if not rows:
            raise _no_run(name)
        if len(rows) > 1:
            some = "; ".join(map(_told, rows[:5])) + ("; …" if len(rows) > 5 else "")
            raise UnknownRunError(f"{name!r} may mean {len(rows)} runs ({some}): give more of the id.")
        return _run(rows[0])

    def launch_spec(self, run: str) -> dict[str, Any]:
        """What was asked for when *run* was launched, without its items.

        Raises:
            UnknownRunError: there is no such run.
        """
        row = self._db.execute("SELECT spec FROM runs WHERE id = ?", (run,)).fetchone()
        if row is None:
            raise _no_run(run)
        spec: dict[str, Any] = json.loads(row["spec"])
        return spec

    # What a run consists of

    def steps(self, run: str) -> list[StepRow]:
        """The steps of *run*, in order."""
        rows = self._db.execute("SELECT * FROM steps WHERE run = ? ORDER BY position", (run,))
        return [_counted(StepRow, row) for row in rows]

    def batches(self, run: str) -> list[BatchRow]:
        """The batches of *run*, in the order of their launch."""
        rows = self._db.execute("SELECT * FROM batches WHERE run = ? ORDER BY number", (run,))
        return [batch_row(row) for row in rows]

    def open_batches(self) -> dict[str, Counts]:
        """How many batches to which something can still happen are in which state, by the id of their run."""
        states: dict[str, dict[str, int]] = {}
        query = f"SELECT run, state, count(*) FROM batches WHERE {OPEN} GROUP BY run, state"
        for run, state, number in self._tuples().execute(query):
            states.setdefault(run, {})[state] = number
        return {run: Counts.of(numbers) for run, numbers in states.items()}

    def tasks(
        self, run: str, *, since: int = 0, states: Iterable[State] = (), limit: int | None = None
    ) -> list[TaskRow]:
        """The tasks of *run* changed after revision *since* (and in one of *states*), by index."""
        query = f"SELECT {_TASK_COLUMNS} FROM tasks WHERE run = ? AND revision > ?"
        values: list[Any] = [run, since]
        if wanted := [state.value for state in states]:
            query += f" AND state IN ({','.join('?' * len(wanted))})"
            values += wanted
        query += ' ORDER BY "index"'
        if limit is not None:
            query += " LIMIT ?"
            values.append(limit)
        return [_task(row) for row in self._tuples().execute(query, values)]

    def task(self, run: str, index: int) -> TaskRow:
        """One task.

        Raises:
            UnknownRunError: *run* has no such task.
        """
        query = f'SELECT {_TASK_COLUMNS} FROM tasks WHERE run = ? AND "index" = ?'
        row = self._tuples().execute(query, (run, index)).fetchone()
        if row is None:
            total = self.run(run).counts.total
            raise UnknownRunError(f"Run {run} has no task {index}: its tasks are 0 to {total - 1}.")
        return _task(row)

    def cancelling_tasks(self, run: str) -> list[TaskRow]:
        """The tasks of *run* whose cancel was asked for and is not carried out yet, by index."""
        query = f'SELECT {_TASK_COLUMNS} FROM tasks WHERE run = ? AND cancelling ORDER BY "index"'
        return [_task(row) for row in self._tuples().execute(query, (run,))]

    def wall_times(self, run: str, *, since: int = 0) -> tuple[int, float]:
        """How many tasks of *run*, changed after revision *since*, ended by themselves, and their seconds."""
        (row,) = self._db.execute(
            "SELECT count(wall_s), total(wall_s) FROM tasks WHERE run = ? AND revision > ? "
            "AND state IN ('done', 'failed')",
            (run, since),
        )
        return row[0], row[1]

    def slots(self, run: str | None = None) -> list[SlotRow]:
        """The slots of the live batches, of *run* or of all runs."""
        where, values = ("WHERE run = ?", (run,)) if run is not None else ("", ())
        rows = self._db.execute(f"SELECT * FROM slots {where} ORDER BY batch, slot", values)
        return [_built(SlotRow, row) for row in rows]

    def events(self, run: str, *, after: int = 0, limit: int = 10_000) -> list[EventRow]:
        """At most *limit* events of *run* with an id above *after*, oldest first."""
        rows = self._db.execute(
            "SELECT * FROM events WHERE run = ? AND id > ? ORDER BY id LIMIT ?", (run, after, limit)
        )
        return [_built(EventRow, row, detail=json.loads(row["detail"])) for row in rows]

    # Resources

    def places(self) -> list[PlaceRow]:
        """How every resource that was tried can be reached, by resource and profile."""
        rows = self._db.execute("SELECT * FROM places ORDER BY resource, profile")
        return [_place(row) for row in rows]

    def commands(
        self, after_id: int = 0, *, limit: int = COMMANDS_KEPT, place: str | None = None
    ) -> list[CommandRow]:
        """The newest *limit* commands (of *place*) with an id above *after_id*, oldest first."""
        where, values = ("AND place = ?", [place]) if place is not None else ("", [])
        rows = self._db.execute(
            f"SELECT * FROM commands WHERE id > ? {where} ORDER BY id DESC LIMIT ?",
            (after_id, *values, limit),
        )
        return [_built(CommandRow, row) for row in reversed(rows.fetchall())]

    def _tuples(self) -> sqlite3.Cursor:
        cursor = self._db.cursor()
        cursor.row_factory = None
        return cursor

    # Requests

    def waiting_requests(self) -> list[RequestRow]:
        """What was asked for and not yet carried out, oldest first."""
        rows = self._db.execute(
            "SELECT * FROM requests WHERE state = ? ORDER BY id", (RequestState.WAITING.value,)
        )
        return [_request(row) for row in rows]

    def request(self, request: int) -> RequestRow | None:
        """One request, or None where it is not (or no longer) kept."""
        row = self._db.execute("SELECT * FROM requests WHERE id = ?", (request,)).fetchone()
        return None if row is None else _request(row)


def _built(kind: type[T], row: sqlite3.Row, **converted: Any) -> T:
    """A row of the table whose columns bear the names of *kind*'s fields; *converted* replaces some."""
    names = (field.name for field in fields(kind) if field.name not in converted)
    return kind(**{name: row[name] for name in names}, **converted)


def _counted(kind: type[T], row: sqlite3.Row, **converted: Any) -> T:
    """The same for what has a state and counts of its tasks."""
    counts = Counts(*(row[name] for name in _COUNTS))
    return _built(kind, row, state=State(row["state"]), counts=counts, **converted)


def _run(row: sqlite3.Row) -> RunRow:
    return _counted(RunRow, row, cancelling=bool(row["cancelling"]))


def batch_row(row: sqlite3.Row) -> BatchRow:
    """A row of the table, as readers get it."""
    return _counted(BatchRow, row)


def _told(row: sqlite3.Row) -> str:
    """What tells a run from others of its name."""
    launched = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["created"]))
    return f"{row['id']} {row['state']}, launched {launched}"


def _no_run(name: str) -> UnknownRunError:
    return UnknownRunError(f"There is no run {name!r}: `runyard ps --all` lists the runs there are.")


def _task(row: tuple[Any, ...]) -> TaskRow:
    # By position and without a look at names: a screen reads 20,000 of these at once.
    run, index, step, item, batch, slot, state, *others = row
    others[-2] = bool(others[-2])
    return TaskRow(run, index, step, item, batch, slot, _STATES[state], *others)


def _place(row: sqlite3.Row) -> PlaceRow:
    return _built(PlaceRow, row, up=None if row["up"] is None else bool(row["up"]))


def _request(row: sqlite3.Row) -> RequestRow:
    return _built(RequestRow, row, payload=json.loads(row["payload"]), state=RequestState(row["state"]))
