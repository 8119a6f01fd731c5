"""Writing the store: the engine's side of it, and the one thing others write, requests."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from runners.batches import Line
from runners.states import RequestState, State
from runners.store.reader import COMMANDS_KEPT, Reader, batch_row
from runners.store.rows import BatchRow
from runners.transport.records import CommandRecord

_LOOKED_S = 5.0
"""How much older than the last look the kept time of it may be: rows that change are drawn anew."""


class WithdrawnError(Exception):
    """The request was taken back while it was being carried out."""


class Writer(Reader):
    """The store with the right to change it.

    Every change happens inside :meth:`change`, which is one transaction and one revision.
    """

    @contextmanager
    def change(self) -> Iterator["Change"]:
        """One transaction: all of it is kept, or, when the block raises, nothing.

        One that changes no row leaves no trace: readers have nothing to look at again.

        Raises:
            sqlite3.OperationalError: the disk is full, or another process held the store too long.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            revision = self.revision() + 1
            self._db.execute("UPDATE revision SET value = ?", (revision,))
            before = self._db.total_changes
            yield Change(self._db, revision)
            self._db.execute("COMMIT" if self._db.total_changes > before else "ROLLBACK")
        except BaseException:
            # A full disk may have rolled the transaction back already.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else changes the store until the end of the block, which only reads it.

        Raises:
            sqlite3.OperationalError: another process held the store too long.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def add_request(self, kind: str, payload: str) -> int:
        """Keep a request (*payload* is JSON) for the engine and return its number."""
        with self.change() as change:
            return change.insert(
                "requests", {"kind": kind, "payload": payload, "created": time.time()}, stamp=False
            )

    def withdraw_request(self, request: int) -> bool:
        """Take back a request that no engine has carried out; False when it was too late."""
        with self.change() as change:
            return change.execute(
                "DELETE FROM requests WHERE id = ? AND state = ?", (request, RequestState.WAITING.value)
            )


class Change:
    """One transaction in progress. Every row it touches gets its revision."""

    def __init__(self, connection: sqlite3.Connection, revision: int) -> None:
        self._db = connection
        self.revision = revision

    def execute(self, statement: str, values: Iterable[Any] = ()) -> bool:
        """Run one statement; True when it changed at least one row."""
        return self._db.execute(statement, tuple(values)).rowcount > 0

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run one statement for each of *rows* and return how many rows that changed."""
        return self._db.executemany(statement, rows).rowcount

    def query(self, statement: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """What a SELECT finds, this transaction's own changes included."""
        return self._db.execute(statement, tuple(values)).fetchall()

    def batch(self, token: str) -> BatchRow:
        """The batch with this token, which is there."""
        (row,) = self.query("SELECT * FROM batches WHERE token = ?", (token,))
        return batch_row(row)

    def insert(self, table: str, row: Mapping[str, Any], *, stamp: bool = True) -> int:
        """Add one row and return its number; with *stamp* the row carries the revision."""
        values = {**row, "revision": self.revision} if stamp else dict(row)
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        cursor = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return cursor.lastrowid or 0

    def update(self, table: str, key: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        """Set *values* in the rows that match *key*; True when there was one."""
        stamped = {**values, "revision": self.revision}
        sets = ", ".join(f'"{name}" = ?' for name in stamped)
        where = " AND ".join(f'"{name}" = ?' for name in key)
        return self.execute(f"UPDATE {table} SET {sets} WHERE {where}", [*stamped.values(), *key.values()])

    def answer(self, request: int, state: RequestState, answer: str = "") -> None:
        """Say what became of a request. Its payload, which may be large, is not kept any longer.

        Raises:
            WithdrawnError: it was taken back; then nothing of this transaction may be kept.
        """
        if not self.execute(
            "UPDATE requests SET state = ?, answer = ?, payload = '{}' WHERE id = ? AND state = ?",
            (state.value, answer, request, RequestState.WAITING.value),
        ):
            raise WithdrawnError(f"request {request}")

    def add_tasks(
        self, run: str, tasks: Iterable[tuple[int, int, str, Mapping[str, str] | None, int]]
    ) -> None:
        """Add pending tasks, each as (index, step, item, columns of the item, its place in the dataset)."""
        self.execute_many(
            'INSERT INTO tasks (run, "index", step, item, fields, place, state, revision) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    run,
                    index,
                    step,
                    item,
                    None if fields is None else json.dumps(fields),
                    place,
                    State.PENDING.value,
                    self.revision,
                )
                for index, step, item, fields, place in tasks
            ),
        )

    def add_event(
        self,
        run: str,
        kind: str,
        detail: Mapping[str, Any],
        *,
        time: float,
        batch: str | None = None,
        restart: int = 0,
        seq: int | None = None,
    ) -> bool:
        """Add a line to the run's history; False when this line of the worker's is there already."""
        return self.execute(
            "INSERT OR IGNORE INTO events (run, batch, restart, seq, time, kind, detail) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run, batch, restart, seq, time, kind, json.dumps(detail)),
        )

    def keep_place(
        self, resource: str, profile: str | None, place: str, line: Line, *, now: float, questions: int = 0
    ) -> bool:
        """Keep how *resource* can be reached as *profile*, if that shows anything new; True when it does.

        A round trip that is a little longer or shorter is told with the time of the look, every 5 s.
        """
        key = {"resource": resource, "profile": profile or ""}
        shown = {"place": place, "up": line.up, "trouble": line.trouble, "question": questions}
        rows = self.query("SELECT * FROM places WHERE resource = ? AND profile = ?", key.values())
        before = dict(rows[0]) if rows else {"looked": None}
        due = bool(line.up) and now - (before["looked"] or 0.0) >= _LOOKED_S
        if not due and all(before.get(name, ...) == value for name, value in shown.items()):
            return False
        trip = None if line.round_trip_s is None else round(line.round_trip_s, 3)
        values = {**shown, "round_trip_s": trip, "looked": now if line.up else before["looked"]}
        if rows:
            return self.update("places", key, values)
        self.insert("places", {**key, **values})
        return True

    def add_commands(self, commands: Iterable[CommandRecord]) -> None:
        """Keep *commands*, in this order, and of all only the newest."""
        self.execute_many(
            "INSERT INTO commands (time, place, command, code, seconds, out, err) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((c.time, c.place, c.command, c.code, c.seconds, c.out, c.err) for c in commands),
        )
        self.execute("DELETE FROM commands WHERE id <= (SELECT max(id) FROM commands) - ?", (COMMANDS_KEPT,))

    def recount(self, run: str) -> None:
        """Bring the counts of *run*, its steps and its batches into step with its tasks."""
        rows = self._db.execute(
            "SELECT step, batch, state, count(*) AS number FROM tasks WHERE run = ? "
            "GROUP BY step, batch, state",
            (run,),
        ).fetchall()
        of_run = dict.fromkeys((state.value for state in State), 0)
        of_step: dict[int, dict[str, int]] = {}
        of_batch: dict[str, dict[str, int]] = {}
        for row in rows:
            number, state = row["number"], row["state"]
            of_run[state] += number
            step = of_step.setdefault(row["step"], dict.fromkeys(of_run, 0))
            step[state] += number
            if row["batch"] is not None:
                batch = of_batch.setdefault(row["batch"], dict.fromkeys(of_run, 0))
                batch[state] += number
        self._set_counts("runs", {"id": run}, of_run)
        for position, counts in of_step.items():
            self._set_counts("steps", {"run": run, "position": position}, counts)
        for token, counts in of_batch.items():
            self._set_counts("batches", {"token": token}, counts)

    def _set_counts(self, table: str, key: Mapping[str, Any], counts: Mapping[str, int]) -> None:
        # Only rows whose counts differ get the new revision: readers redraw what has changed.
        sets = ", ".join(f'"{name}" = ?' for name in counts)
        where = " AND ".join(f'"{name}" = ?' for name in key)
        same = " AND ".join(f'"{name}" = ?' for name in counts)
        self.execute(
            f"UPDATE {table} SET {sets}, revision = ? WHERE {where} AND NOT ({same})",
            [*counts.values(), self.revision, *key.values(), *counts.values()],
        )
