"""From what workers report to rows. Each function is part of one transaction of the engine's."""

import json
from collections.abc import Sequence
from typing import Any

from runners.batches import Cursor
from runners.events import Event
from runners.states import State
from runners.store.occupancy import Occupancy
from runners.store.reader import OPEN
from runners.store.rows import BatchRow
from runners.store.writer import Change

_STARTED = (
    "UPDATE tasks SET state = 'running', worker_state = 'start', slot = ?, started = ?, revision = ? "
    f'WHERE run = ? AND "index" = ? AND batch = ? AND {OPEN}'
)
_ENDED = (
    "UPDATE tasks SET state = ?, worker_state = ?, slot = coalesce(?, slot), exit_code = ?, signal = ?, "
    "reason = ?, started = coalesce(started, ?), ended = ?, max_rss_mb = ?, cpu_s = ?, wall_s = ?, "
    'log_bytes = ?, "left" = ?, result = ?, revision = ? '
    f'WHERE run = ? AND "index" = ? AND batch = ? AND {OPEN}'
)
_LEFT = (
    "UPDATE tasks SET state = ?, reason = ?, ended = ?, revision = ? "
    f'WHERE run = ? AND "index" BETWEEN ? AND ? AND batch = ? AND {OPEN}'
)
_KEPT = (
    "INSERT OR IGNORE INTO events (run, batch, restart, seq, time, kind, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_HEARD_AGAIN = (
    "UPDATE tasks SET state = CASE worker_state WHEN '' THEN 'pending' ELSE 'running' END, revision = ? "
    "WHERE run = ? AND batch = ? AND state = 'unknown'"
)


def apply_events(
    change: Change, batch: BatchRow, events: Sequence[Event], cursor: Cursor, *, now: float
) -> bool:
    """Take in *events* of *batch*, up to *cursor*; True when the worker said that it is through.

    Heartbeats are not kept: what they tell is in the rows of the slots.
    """
    change.execute_many(
        _KEPT,
        (
            (batch.run, batch.token, batch.restart, seq, time or now, kind, json.dumps(detail))
            for seq, time, kind, detail in events
            if kind != "hb"
        ),
    )
    if batch.state is State.UNKNOWN:
        change.execute(_HEARD_AGAIN, (change.revision, batch.run, batch.token))
    seen: dict[str, Any] = {"restart": cursor.restart, "offset": cursor.offset}
    if batch.state in (State.PENDING, State.UNKNOWN):
        seen["state"] = State.RUNNING.value
    starts: dict[int, tuple[int, float]] = {}
    ends: dict[int, Event] = {}
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
                _leave(change, batch, detail, event.time)
            case "hello":
                seen |= {"worker_state": "hello", "started": event.time}
            case "bye":
                seen |= {
                    "worker_state": "bye",
                    "ended": event.time,
                    "reason": _farewell(detail.get("why", "")),
                }
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
    change.update("batches", {"token": batch.token}, seen)
    slots.keep()
    return seen.get("worker_state") == "bye"


def _ended(change: Change, batch: BatchRow, event: Event, start: tuple[int, float] | None) -> tuple[Any, ...]:
    detail = event.detail
    wall = detail.get("wall")
    # A task that ended without having started (cancelled before) has no beginning.
    begun = start[1] if start else event.time - wall if wall else None
    return (
        detail["state"],
        detail["state"],
        detail.get("slot"),
        detail.get("exit"),
        detail.get("signal"),
        detail["why"],
        begun,
        event.time,
        detail.get("rss"),
        detail.get("cpu"),
        wall,
        detail.get("log"),
        detail.get("left") or 0,
        json.dumps(detail["result"]) if "result" in detail else None,
        change.revision,
        batch.run,
        detail["i"],
        batch.token,
    )


def _leave(change: Change, batch: BatchRow, detail: dict[str, Any], time: float) -> None:
    why = detail["why"]
    state, reason = (
        (State.CANCELLED, "cancelled") if why == "cancelled" else (State.FAILED, f"not started: {why}")
    )
    change.execute_many(
        _LEFT,
        (
            (state.value, reason, time, change.revision, batch.run, first, last, batch.token)
            for first, last in detail["i"]
        ),
    )


def _farewell(why: str) -> str:
    return "" if why == "done" else why
