"""Rows of the store as JSON objects, for `--json`."""

from __future__ import annotations

import json
from typing import Any

from runners.store.rows import BatchRow, EventRow, PlaceRow, RunRow, StepRow, TaskRow


def run_object(run: RunRow) -> dict[str, Any]:
    """A run, without what it consists of."""
    return {
        "id": run.id,
        "name": run.name,
        "state": run.state.value,
        "reason": run.reason,
        "resource": run.resource,
        "profile": run.profile,
        "retry_of": run.retry_of,
        "created": run.created,
        "started": run.started,
        "ended": run.ended,
        "cancelling": run.cancelling,
        "counts": run.counts.as_dict(),
        "folder": run.folder,
        "workdir": run.workdir,
    }


def step_object(step: StepRow) -> dict[str, Any]:
    """A step of a run."""
    return {
        "position": step.position,
        "name": step.name,
        "type": step.type,
        "command": step.command,
        "state": step.state.value,
        "plan": step.plan,
        "counts": step.counts.as_dict(),
    }


def batch_object(batch: BatchRow) -> dict[str, Any]:
    """A batch of a run: the verdict, and what worker and scheduler said."""
    return {
        "number": batch.number,
        "token": batch.token,
        "step": batch.step,
        "state": batch.state.value,
        "reason": batch.reason,
        "slots": batch.slots,
        "host": batch.host,
        "native_id": batch.native_id,
        "worker_state": batch.worker_state,
        "scheduler_state": batch.scheduler_state,
        "scheduler_reason": batch.scheduler_reason,
        "partition": batch.partition,
        "hosts": batch.hosts,
        "nodes": batch.nodes,
        "limit_s": None if batch.limit_s is None or batch.limit_s < 0 else batch.limit_s,
        "job_since": batch.job_since,
        "created": batch.created,
        "started": batch.started,
        "ended": batch.ended,
        "counts": batch.counts.as_dict(),
        "folder": batch.folder,
    }


def place_object(place: PlaceRow) -> dict[str, Any]:
    """How a resource could be reached."""
    return {
        "up": place.up,
        "round_trip_s": place.round_trip_s,
        "trouble": place.trouble,
        "looked": place.looked,
        "questions": place.question,
    }


def task_object(task: TaskRow) -> dict[str, Any]:
    """A task."""
    return {
        "index": task.index,
        "item": task.item,
        "state": task.state.value,
        "exit_code": task.exit_code,
        "signal": task.signal,
        "reason": task.reason,
        "cancelling": task.cancelling,
        "slot": task.slot,
        "batch": task.batch,
        "started": task.started,
        "ended": task.ended,
        "max_rss_mb": task.max_rss_mb,
        "step": task.step,
        "cpu_s": task.cpu_s,
        "wall_s": task.wall_s,
        "log_bytes": task.log_bytes,
        "left": task.left,
        "result": None if task.result is None else json.loads(task.result),
    }


def event_object(event: EventRow) -> dict[str, Any]:
    """A line of a run's history."""
    return {
        "id": event.id,
        "time": event.time,
        "batch": event.batch,
        "kind": event.kind,
        "detail": event.detail,
    }
