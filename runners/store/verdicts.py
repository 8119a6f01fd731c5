"""The verdicts on batches, steps and runs. Each function is part of one transaction of the engine's."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from runners.batches import REPORT_LOST, WORKER_DIED, WORKER_DIED_BEFORE
from runners.states import State
from runners.store.reader import OPEN
from runners.store.rows import BatchRow
from runners.store.writer import Change


def end_batch(change: Change, batch: BatchRow, *, now: float) -> None:
    """The worker of *batch* is through. A task it has not told the end of was in a line that is lost."""
    _end_tasks(change, batch, REPORT_LOST, REPORT_LOST, now)
    _close(change, batch, {}, now)


def bury_batch(change: Change, batch: BatchRow, *, now: float) -> None:
    """The worker of *batch* is gone without a word: what it had not finished has failed."""
    _end_tasks(change, batch, WORKER_DIED, WORKER_DIED_BEFORE, now)
    seen = {"worker_state": "lost", "reason": WORKER_DIED}
    change.add_event(batch.run, "lost", {"why": WORKER_DIED}, time=now, batch=batch.token)
    _close(change, batch, seen, now)


def refuse_batch(change: Change, batch: BatchRow, reason: str, *, now: float) -> None:
    """*batch* was never started and never will be, for *reason*, a sentence."""
    _end_tasks(change, batch, reason, f"not started: {reason}", now)
    change.add_event(batch.run, "refused", {"why": reason}, time=now, batch=batch.token)
    _close(change, batch, {"reason": reason}, now)


def withdraw_batch(change: Change, batch: BatchRow, *, now: float) -> None:
    """*batch* was cancelled before it was started."""
    change.execute(
        f"UPDATE tasks SET state = 'cancelled', reason = 'cancelled', ended = ?, revision = ? "
        f"WHERE run = ? AND batch = ? AND {OPEN}",
        (now, change.revision, batch.run, batch.token),
    )
    _close(change, batch, {"reason": "cancelled"}, now)


def doubt_batch(change: Change, batch: BatchRow, reason: str) -> None:
    """Nobody can tell at the moment what becomes of *batch*."""
    change.update("batches", {"token": batch.token}, {"state": State.UNKNOWN.value, "reason": reason})
    change.execute(
        "UPDATE tasks SET state = 'unknown', revision = ? WHERE run = ? AND batch = ? AND state = 'running'",
        (change.revision, batch.run, batch.token),
    )


def cancel_waiting(change: Change, run: str, *, now: float, task: int | None = None) -> bool:
    """Cancel the tasks of *run*, or the one, that no batch has; True when there was one."""
    where, values = ('AND "index" = ?', [task]) if task is not None else ("", [])
    return change.execute(
        "UPDATE tasks SET state = 'cancelled', reason = 'cancelled', ended = ?, revision = ? "
        f"WHERE run = ? AND batch IS NULL AND state = 'pending' {where}",
        (now, change.revision, run, *values),
    )


def settle(change: Change, run: str, *, now: float) -> bool:
    """Bring counts and states of *run* and its steps into step with its tasks; True when the run has ended.

    A step begins when the one before is done; where it is not, those that follow are cancelled. A run that
    was cancelled ends so if that still found tasks to cancel, whatever had failed before.
    """
    change.recount(run)
    steps = change.query("SELECT * FROM steps WHERE run = ? ORDER BY position", (run,))
    for step in steps:
        state = _state(step)
        if state.value != step["state"]:
            change.update("steps", {"run": run, "position": step["position"]}, {"state": state.value})
        if state in (State.FAILED, State.CANCELLED):
            how = "failed" if state is State.FAILED else "was cancelled"
            reason = f"step {step['position'] + 1} '{step['name']}' {how}"
            if _skip_steps_after(change, run, step["position"], reason, now):
                return settle(change, run, now=now)
    (row,) = change.query(
        "SELECT state, started, cancelling, pending, running, done, failed, cancelled, unknown "
        "FROM runs WHERE id = ?",
        (run,),
    )
    before = State(row["state"])
    # What has ended stays as it is: whether it was being cancelled is not kept beyond the end.
    state = before if before.final else _state(row)
    cut_short = state is State.FAILED and row["cancelling"] and row["cancelled"]
    if cut_short:
        state = State.CANCELLED
    seen: dict[str, Any] = {}
    if state.value != row["state"]:
        seen["state"] = state.value
    told = "min(started) AS began, max(ended) AS ended, max(reason) AS reason"
    (batches,) = change.query(f"SELECT {told} FROM batches WHERE run = ?", (run,))
    if row["started"] is None and batches["began"] is not None:
        seen["started"] = batches["began"]
    if state.final and not before.final:
        reason = batches["reason"] or "" if state is State.FAILED else ""
        if cut_short:
            reason = f"{row['failed']:,} of {_tasks(row):,} tasks had failed"
        seen |= {"ended": batches["ended"] or now, "reason": reason, "cancelling": 0}
        change.add_event(run, "ended", {"state": state.value}, time=now)
    if seen:
        change.update("runs", {"id": run}, seen)
    return state.final


def _state(counts: Mapping[str, Any] | sqlite3.Row) -> State:
    """The state of a batch, step or run with these counts of tasks."""
    if counts["unknown"]:
        return State.UNKNOWN
    if counts["pending"] + counts["running"]:
        # A task may be cancelled before anything has begun.
        return State.RUNNING if counts["running"] + counts["done"] + counts["failed"] else State.PENDING
    if counts["failed"]:
        return State.FAILED
    return State.CANCELLED if counts["cancelled"] else State.DONE


def _tasks(counts: Mapping[str, Any] | sqlite3.Row) -> int:
    """How many tasks there are in these counts."""
    return sum(counts[state.value] for state in State)


def _end_tasks(change: Change, batch: BatchRow, started: str, waiting: str, now: float) -> None:
    change.execute(
        "UPDATE tasks SET state = 'failed', reason = CASE worker_state WHEN '' THEN ? ELSE ? END, ended = ?, "
        f"revision = ? WHERE run = ? AND batch = ? AND {OPEN}",
        (waiting, started, now, change.revision, batch.run, batch.token),
    )


def _close(change: Change, batch: BatchRow, seen: Mapping[str, Any], now: float) -> None:
    rows = change.query(
        "SELECT state, count(*) AS number FROM tasks WHERE run = ? AND batch = ? GROUP BY state",
        (batch.run, batch.token),
    )
    counts = {**dict.fromkeys((state.value for state in State), 0), **{row[0]: row[1] for row in rows}}
    values = {"scheduler_state": "gone", **seen, "state": _state(counts).value}
    change.update("batches", {"token": batch.token}, values)
    change.execute("UPDATE batches SET ended = coalesce(ended, ?) WHERE token = ?", (now, batch.token))
    change.execute("DELETE FROM slots WHERE batch = ?", (batch.token,))


def _skip_steps_after(change: Change, run: str, position: int, reason: str, now: float) -> bool:
    return change.execute(
        "UPDATE tasks SET state = 'cancelled', reason = ?, ended = ?, revision = ? "
        "WHERE run = ? AND step > ? AND batch IS NULL AND state = 'pending'",
        (reason, now, change.revision, run, position),
    )
