"""The lines of a run's history as short sentences for a person."""

from __future__ import annotations

import json
from typing import Any

from runners.config.units import format_time
from runners.store.rows import EventRow
from tui.signals import in_words


def told(event: EventRow) -> str:
    """What *event* says. Names and reasons in it are as they came from outside."""
    detail = event.detail
    match event.kind:
        case "launched":
            return f"launched with {_count(detail.get('tasks'), 'task')}"
        case "started":
            job, host = detail.get("native_id"), detail.get("host")
            return f"a batch was handed to {host}" if host else f"a batch was handed over, as job {job}"
        case "hello":
            return _hello(detail)
        case "slot":
            return _slot(detail)
        case "start":
            return f"task {detail['i']} started in slot {detail['slot']}"
        case "end":
            return _end(detail)
        case "left":
            return f"{_tasks(detail['i'])} did not start: {detail['why']}"
        case "bye":
            return _bye(detail)
        case "lost":
            return f"the batch is lost: {detail.get('why')}"
        case "refused":
            return f"the batch was not started: {detail.get('why')}"
        case "cancel":
            if "batch" in detail:
                return f"cancel batch {detail['batch']}"
            return "the run is to be cancelled" if "task" not in detail else f"cancel task {detail['task']}"
        case "ended":
            return f"the run has ended: {detail.get('state')}"
        case "corrupt":
            return f"a line of the worker can't be read: {detail.get('line')}"
    # From a worker that knows more than we do.
    return " ".join([event.kind, *(f"{name}={_value(value)}" for name, value in detail.items())])


def _hello(detail: dict[str, Any]) -> str:
    slots, tasks = _count(detail.get("slots"), "slot"), _count(detail.get("tasks"), "task")
    where = f"on {detail.get('host')} (pid {detail.get('pid')}, Python {detail.get('python')})"
    notes = detail.get("notes")
    more = "".join(f"; {note}" for note in notes) if isinstance(notes, list) else ""
    return f"the worker is up {where}: {slots} for {tasks}{more}"


def _slot(detail: dict[str, Any]) -> str:
    said = {"ready": "is ready", "lost": "was lost", "failed": "could not start"}
    why = f": {detail['why']}" if detail.get("why") else ""
    return f"slot {detail['slot']} {said.get(detail['state'], detail['state'])}{why}"


def _end(detail: dict[str, Any]) -> str:
    wall = detail.get("wall")
    after = "" if wall is None else f" after {format_time(wall)}"
    # The reason of a task that is done or cancelled says just that.
    why = f": {in_words(detail['why'])}" if detail["state"] == "failed" and detail["why"] else ""
    return f"task {detail['i']} {detail['state']}{after}{why}"


def _bye(detail: dict[str, Any]) -> str:
    counts = detail.get("counts")
    numbers = counts.items() if isinstance(counts, dict) else ()
    parts = [f"{number} {'not started' if word == 'left' else word}" for word, number in numbers if number]
    why = "" if detail["why"] == "done" else f" ({detail['why']})"
    return f"the worker is through{why}: {', '.join(parts) or 'nothing was run'}"


def _tasks(ranges: list[list[int]]) -> str:
    """Ranges of indices: `task 3`, `tasks 2 to 5, 9`."""
    parts = [str(first) if first == last else f"{first} to {last}" for first, last in ranges]
    several = len(ranges) > 1 or ranges[0][0] != ranges[0][1]
    return f"{'tasks' if several else 'task'} {', '.join(parts)}"


def _count(number: object, noun: str) -> str:
    if not isinstance(number, int):
        return f"? {noun}s"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _value(value: object) -> str:
    return value if isinstance(value, str) and value and " " not in value else json.dumps(value)
