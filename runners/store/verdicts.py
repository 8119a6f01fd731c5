"""The verdicts on batches, steps and runs. Each function is part of one transaction of the engine's."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runners.batches import REPORT_LOST, WORKER_DIED, WORKER_DIED_BEFORE
from runners.slurm.states import JOB_STATES, Phase
from runners.states import State
from runners.store.reader import OPEN
from runners.store.rows import BatchRow
from runners.store.writer import Change

INTERRUPTED = "interrupted: "
"""How the reason begins of a task that its worker was told to end from outside: it may run again."""

_CANCELLED_OUTSIDE = "cancelled from outside"
_TIME_LIMIT = "time limit of the job reached"
_TOO_SHORT = "not started: the time limit of the job is too short for one task"

_ALL = ((0, 2**53),)


def end_batch(change: Change, batch: BatchRow, *, now: float) -> None:
    """The worker of *batch* is through. A task it has not told the end of was in a line that is lost."""
    _judge_interrupted(change, batch, "")
    _end_tasks(change, batch, REPORT_LOST, REPORT_LOST, now)
    _close(change, batch, {}, now)


def bury_batch(change: Change, batch: BatchRow, *, now: float, why: str = "") -> None:
    """The worker of *batch* is gone: what it had not finished has failed, or was cancelled.

    *why* is what its scheduler tells of it, as a part of a sentence; empty where it tells nothing. After a
    worker that ran into its job's time limit, what it had not begun waits for a batch again.
    """
    batch = change.batch(batch.token)
    if cancel := _cancel_of(change, batch, why):
        _cancel_tasks(change, batch, cancel, now)
    if batch.scheduler_state == "TIMEOUT":
        why = why or _TIME_LIMIT
        give_back(change, batch, _ALL, now=now)
    said_bye = batch.worker_state == "bye"
    told = why or (batch.reason if said_bye else "")
    _cancel_tasks(change, batch, "cancelled", now, asked_for=True)
    _judge_interrupted(change, batch, why)
    started, waiting = (REPORT_LOST, REPORT_LOST) if said_bye else (WORKER_DIED, WORKER_DIED_BEFORE)
    _end_tasks(change, batch, told or started, f"not started: {told}" if told else waiting, now)
    seen = {"reason": cancel or told or ("" if said_bye else WORKER_DIED)}
    if not said_bye:
        seen["worker_state"] = "lost"
        change.add_event(batch.run, "lost", {"why": seen["reason"]}, time=now, batch=batch.token)
    _close(change, batch, seen, now)


def put_back(change: Change, batch: BatchRow, *, now: float) -> None:
    """The scheduler starts *batch* again, under the same id: what had not come to its end will run again.

    Doing it again changes nothing.
    """
    if batch.state is State.PENDING and not batch.worker_state:
        return
    change.execute(
        "UPDATE tasks SET state = 'pending', worker_state = '', slot = NULL, exit_code = NULL, "
        "signal = NULL, reason = '', started = NULL, ended = NULL, max_rss_mb = NULL, cpu_s = NULL, "
        'wall_s = NULL, log_bytes = NULL, "left" = 0, result = NULL, revision = ? '
        "WHERE run = ? AND batch = ? AND state IN ('running', 'unknown')",
        (change.revision, batch.run, batch.token),
    )
    seen = {"state": State.PENDING.value, "worker_state": "", "reason": "", "ended": None, "job_since": None}
    change.update("batches", {"token": batch.token}, seen)
    change.execute("DELETE FROM slots WHERE batch = ?", (batch.token,))
    change.add_event(batch.run, "requeued", {}, time=now, batch=batch.token)


def give_back(change: Change, batch: BatchRow, ranges: Iterable[Sequence[int]], *, now: float) -> None:
    """Tasks of *batch* that it had no time to begin wait for a batch again: *ranges* of first and last index.

    Where it came to the end of not one task, the next batch would not either: then they fail.
    """
    (run,) = change.query("SELECT cancelling FROM runs WHERE id = ?", (batch.run,))
    came_to_an_end = change.query(
        "SELECT 1 FROM tasks WHERE run = ? AND batch = ? AND worker_state IN ('done', 'failed', 'cancelled') "
        "LIMIT 1",
        (batch.run, batch.token),
    )
    waiting = "WHERE run = ? AND batch = ? AND state = 'pending' AND \"index\" BETWEEN ? AND ?"
    for first, last in ranges:
        among = (batch.run, batch.token, first, last)
        change.execute(
            "UPDATE tasks SET state = 'cancelled', reason = 'cancelled', cancelling = 0, ended = ?, "
            f"revision = ? {waiting} AND (cancelling OR ?)",
            (now, change.revision, *among, run["cancelling"]),
        )
        if came_to_an_end:
            change.execute(
                f"UPDATE tasks SET batch = NULL, revision = ? {waiting}", (change.revision, *among)
            )
        else:
            change.execute(
                f"UPDATE tasks SET state = 'failed', reason = ?, ended = ?, revision = ? {waiting}",
                (_TOO_SHORT, now, change.revision, *among),
            )


def refuse_batch(change: Change, batch: BatchRow, reason: str, *, now: float) -> None:
    """*batch* was never started and never will be, for *reason*, a sentence."""
    _end_tasks(change, batch, reason, f"not started: {reason}", now)
    change.add_event(batch.run, "refused", {"why": reason}, time=now, batch=batch.token)
    _close(change, batch, {"reason": reason}, now)


def withdraw_batch(change: Change, batch: BatchRow, *, now: float) -> None:
    """*batch* was cancelled before it was started."""
    _cancel_tasks(change, batch, "cancelled", now)
    _close(change, batch, {"reason": "cancelled"}, now)


def doubt_batch(change: Change, batch: BatchRow, reason: str) -> None:
    """Nobody can tell at the moment what becomes of *batch*."""
    change.update("batches", {"token": batch.token}, {"state": State.UNKNOWN.value, "reason": reason})
    change.execute(
        "UPDATE tasks SET state = 'unknown', revision = ? WHERE run = ? AND batch = ? AND state = 'running'",
        (change.revision, batch.run, batch.token),
    )


def intend_cancel(change: Change, run: str, task: int) -> bool:
    """Keep that *task* of *run* is to be cancelled, until it has ended; False when it has."""
    return change.execute(
        f'UPDATE tasks SET cancelling = 1, revision = ? WHERE run = ? AND "index" = ? AND {OPEN}',
        (change.revision, run, task),
    )


def intend_cancel_of_batch(change: Change, run: str, token: str) -> bool:
    """The same for all tasks of a batch that have not ended; False when all have."""
    return change.execute(
        f"UPDATE tasks SET cancelling = 1, revision = ? WHERE run = ? AND batch = ? AND {OPEN}",
        (change.revision, run, token),
    )


def cancel_waiting(change: Change, run: str, *, now: float, task: int | None = None) -> bool:
    """Cancel the tasks of *run*, or the one, that no batch has; True when there was one."""
    where, values = ('AND "index" = ?', [task]) if task is not None else ("", [])
    return change.execute(
        "UPDATE tasks SET state = 'cancelled', reason = 'cancelled', cancelling = 0, ended = ?, revision = ? "
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
    told = (
        "min(started) AS began, max(ended) AS ended, max(CASE state WHEN 'failed' THEN reason END) AS reason"
    )
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
        f"cancelling = 0, revision = ? WHERE run = ? AND batch = ? AND {OPEN}",
        (waiting, started, now, change.revision, batch.run, batch.token),
    )


def _cancel_of(change: Change, batch: BatchRow, why: str) -> str:
    """Why what *batch* had not finished counts as cancelled; empty where it does not.

    *why* may tell who did it.
    """
    (run,) = change.query("SELECT cancelling FROM runs WHERE id = ?", (batch.run,))
    if run["cancelling"]:
        return "cancelled"
    if batch.scheduler_state != "CANCELLED":
        return ""
    (open_tasks,) = change.query(
        "SELECT count(*) AS number, coalesce(sum(cancelling), 0) AS asked FROM tasks "
        f"WHERE run = ? AND batch = ? AND {OPEN}",
        (batch.run, batch.token),
    )
    if open_tasks["number"] == open_tasks["asked"] > 0:
        return "cancelled"
    return why if why.startswith(_CANCELLED_OUTSIDE) else _CANCELLED_OUTSIDE


def _cancel_tasks(
    change: Change, batch: BatchRow, reason: str, now: float, *, asked_for: bool = False
) -> None:
    """Cancel all tasks of *batch* that have not ended, or only those whose cancel was *asked_for*."""
    change.execute(
        "UPDATE tasks SET state = 'cancelled', reason = ?, cancelling = 0, ended = coalesce(ended, ?), "
        f"revision = ? WHERE run = ? AND batch = ? AND (cancelling OR ?) AND {OPEN}",
        (reason, now, change.revision, batch.run, batch.token, not asked_for),
    )


def _judge_interrupted(change: Change, batch: BatchRow, why: str) -> None:
    """Tasks that might have run again won't: the scheduler's *why*, or else the worker's, is the verdict."""
    interrupted = change.query(
        "SELECT \"index\", reason FROM tasks WHERE run = ? AND batch = ? AND state = 'unknown' "
        "AND worker_state = 'interrupted'",
        (batch.run, batch.token),
    )
    for index, reason in interrupted:
        said = reason.removeprefix(INTERRUPTED)
        state = State.CANCELLED if said == "terminated" and not why else State.FAILED
        seen = {"state": state.value, "reason": why or said, "cancelling": 0}
        change.update("tasks", {"run": batch.run, "index": index}, seen)


def _close(change: Change, batch: BatchRow, seen: Mapping[str, Any], now: float) -> None:
    rows = change.query(
        "SELECT state, count(*) AS number FROM tasks WHERE run = ? AND batch = ? GROUP BY state",
        (batch.run, batch.token),
    )
    counts = {**dict.fromkeys((state.value for state in State), 0), **{row[0]: row[1] for row in rows}}
    values = {**seen, "state": _state(counts).value}
    # Its scheduler's last word stays, unless that is not true any longer.
    if JOB_STATES.get(change.batch(batch.token).scheduler_state) is not Phase.ENDED:
        values["scheduler_state"] = "gone"
    change.update("batches", {"token": batch.token}, values)
    change.execute("UPDATE batches SET ended = coalesce(ended, ?) WHERE token = ?", (now, batch.token))
    change.execute("DELETE FROM slots WHERE batch = ?", (batch.token,))


def _skip_steps_after(change: Change, run: str, position: int, reason: str, now: float) -> bool:
    return change.execute(
        "UPDATE tasks SET state = 'cancelled', reason = ?, ended = ?, revision = ? "
        "WHERE run = ? AND step > ? AND batch IS NULL AND state = 'pending'",
        (reason, now, change.revision, run, position),
    )
