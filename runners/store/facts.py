"""From what runners report to rows. Each function is part of one transaction of the engine's."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from runners.batches import Job, Life, Report
from runners.events import Event, is_last_word
from runners.states import State
from runners.store.occupancy import Occupancy
from runners.store.reader import OPEN
from runners.store.rows import BatchRow
from runners.store.verdicts import INTERRUPTED, give_back, put_back
from runners.store.writer import Change

_STARTED = (
    "UPDATE tasks SET state = 'running', worker_state = 'start', slot = ?, started = ?, revision = ? "
    f'WHERE run = ? AND "index" = ? AND batch = ? AND {OPEN}'
)
_ENDED = (
    "UPDATE tasks SET state = ?, worker_state = ?, slot = coalesce(?, slot), exit_code = ?, signal = ?, "
    "reason = ?, started = coalesce(started, ?), ended = ?, max_rss_mb = ?, cpu_s = ?, wall_s = ?, "
    'log_bytes = ?, "left" = ?, result = ?, cancelling = cancelling AND ?, revision = ? '
    f'WHERE run = ? AND "index" = ? AND batch = ? AND {OPEN}'
)
_LEFT = (
    "UPDATE tasks SET state = ?, reason = ?, cancelling = 0, ended = ?, revision = ? "
    f'WHERE run = ? AND "index" BETWEEN ? AND ? AND batch = ? AND {OPEN}'
)
_KEPT = (
    "INSERT OR IGNORE INTO events (run, batch, restart, seq, time, kind, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_HEARD_AGAIN = (
    "UPDATE tasks SET state = CASE worker_state WHEN '' THEN 'pending' ELSE 'running' END, revision = ? "
    "WHERE run = ? AND batch = ? AND state = 'unknown' AND worker_state != 'interrupted'"
)
_NOT_KEPT = ("hb", "next")
"""Heartbeats are in the rows of the slots; where the next piece of the file begins is no news."""

_SINCE_S = 5.0
"""A beginning that a scheduler tells in whole seconds, seen over a line, is the same within these."""


def apply_events(change: Change, batch: BatchRow, report: Report, *, now: float) -> bool:
    """Take in what *report* tells of *batch*; True when its worker has said its last word.

    All its events are of one start of the batch, the one that had been read up to `batch.offset`. Where its
    cursor is of a later start, or the scheduler has put the batch back in the queue, what had not come to its
    end waits to be run again. Nothing is written where nothing is new.
    """
    events, cursor = report.events, report.cursor
    change.execute_many(
        _KEPT,
        (
            (batch.run, batch.token, batch.restart, seq, time or now, kind, json.dumps(detail))
            for seq, time, kind, detail in events
            if kind not in _NOT_KEPT
        ),
    )
    seen: dict[str, Any] = {"restart": cursor.restart, "part": cursor.part, "offset": cursor.offset}
    seen |= dict(_shown(batch, report.job, now))
    if events and batch.state is State.UNKNOWN:
        change.execute(_HEARD_AGAIN, (change.revision, batch.run, batch.token))
        seen["reason"] = ""
    if events and batch.state in (State.PENDING, State.UNKNOWN):
        seen["state"] = State.RUNNING.value
    starts: dict[int, tuple[int, float]] = {}
    ends: dict[int, Event] = {}
    left: list[Event] = []
    over = False
    slots = Occupancy(change, batch)
    for event in events:
        detail = event.detail
        match event.kind:
            case "start":
                starts[detail["i"]] = (detail["slot"], event.time)
                slots.begin(detail["slot"], detail["i"], event.time)
            case "end":
                ends[detail["i"]] = event
                slots.end(detail.get("slot"))
            case "hb":
                slots.hear(detail["run"], event.time)
            case "slot":
                slots.state(detail, event.time)
            case "left":
                left.append(event)
            case "hello":
                seen |= {"worker_state": "hello", "started": event.time, "reason": ""}
            case "bye":
                seen |= {
                    "worker_state": "bye",
                    "ended": event.time,
                    "reason": _farewell(detail["why"]),
                }
                over = is_last_word(event)
    change.execute_many(
        _STARTED,
        (
            (slot, time, change.revision, batch.run, index, batch.token)
            for index, (slot, time) in starts.items()
            if index not in ends
        ),
    )
    change.execute_many(
        _ENDED, (_ended(change, batch, event, starts.get(index)) for index, event in ends.items())
    )
    for event in left:
        _leave(change, batch, event)
    if report.life is Life.GONE and report.job is not None and report.job.ran_s is not None:
        seen |= dict(_stopped(batch, seen, report.job.ran_s, now))
    if new := {name: value for name, value in seen.items() if getattr(batch, name) != value}:
        change.update("batches", {"token": batch.token}, new)
    slots.keep()
    if (report.requeued or cursor.restart > batch.restart) and not over:
        put_back(change, change.batch(batch.token), now=now)
    return over


def _shown(batch: BatchRow, job: Job | None, now: float) -> Iterator[tuple[str, Any]]:
    """What the scheduler shows of *batch*, as columns of its row."""
    if job is None:
        return
    yield "scheduler_state", job.state
    yield "scheduler_reason", job.reason
    # A job that has left the queue has neither any longer, and what it had still tells where to look.
    if job.partition:
        yield "partition", job.partition
    if job.hosts:
        yield "hosts", job.hosts
    if job.nodes is not None:
        yield "nodes", job.nodes
    if job.limit_s is not None:
        yield "limit_s", job.limit_s if math.isfinite(job.limit_s) else -1.0
    if job.elapsed_s:
        since = now - job.elapsed_s
        if batch.job_since is None or abs(since - batch.job_since) > _SINCE_S:
            yield "job_since", round(since)


def _stopped(
    batch: BatchRow, seen: Mapping[str, Any], ran_s: float, now: float
) -> Iterator[tuple[str, float]]:
    """When the job of *batch* ended that ran for so long, which is known only a while later.

    Nothing where its worker has said when it left, or where it is not known when this start of it began.
    """
    worker = seen.get("worker_state", batch.worker_state)
    began = seen.get("job_since", batch.job_since)
    if began is None and worker:
        began = seen.get("started", batch.started)
    if began is not None and worker != "bye":
        yield "ended", min(now, began + ran_s)


def _ended(change: Change, batch: BatchRow, event: Event, start: tuple[int, float] | None) -> tuple[Any, ...]:
    detail = event.detail
    wall = detail.get("wall")
    # A task that ended without having started (cancelled before) has no beginning.
    begun = start[1] if start else event.time - wall if wall else None
    again = bool(detail.get("again"))
    return (
        State.UNKNOWN.value if again else detail["state"],
        "interrupted" if again else detail["state"],
        detail.get("slot"),
        detail.get("exit"),
        detail.get("signal"),
        f"{INTERRUPTED}{detail['why']}" if again else detail["why"],
        begun,
        event.time,
        detail.get("rss"),
        detail.get("cpu"),
        wall,
        detail.get("log"),
        detail.get("left") or 0,
        json.dumps(detail["result"]) if "result" in detail else None,
        again,
        change.revision,
        batch.run,
        detail["i"],
        batch.token,
    )


def _leave(change: Change, batch: BatchRow, event: Event) -> None:
    """Tasks that were not begun have a verdict, or wait for another batch, or for this one's next start."""
    why, ranges = event.detail["why"], event.detail["i"]
    if event.detail.get("again"):
        return
    if why == "time limit":
        give_back(change, batch, ranges, now=event.time)
        return
    state, reason = (
        (State.CANCELLED, "cancelled") if why == "cancelled" else (State.FAILED, f"not started: {why}")
    )
    change.execute_many(
        _LEFT,
        (
            (state.value, reason, event.time, change.revision, batch.run, first, last, batch.token)
            for first, last in ranges
        ),
    )


def _farewell(why: str) -> str:
    return "" if why == "done" else why
