"""What the worker of a batch reads first: `batch.json` and `tasks.jsonl` (see `runners/worker.py`). Pure."""

import json
from collections.abc import Sequence
from typing import Any

from runners import worker
from runners.batches import BatchSpec, TaskSpec

_encode = json.JSONEncoder(separators=(",", ":")).encode

_GRACE_S = 10.0
"""Between asking a task to end and making it."""


def worker_files(
    batch: BatchSpec,
    *,
    heartbeat_s: float,
    control_poll_s: float,
    agent: Sequence[str] = (),
    inherit: bool = False,
    memory_mb: int = 0,
    part_bytes: int = 0,
    tail_bytes: int = 0,
) -> dict[str, bytes]:
    """The files by their names within the batch's folder: lines of JSON in ASCII, each ended.

    Args:
        batch: what is to be run.
        heartbeat_s: seconds between two heartbeats.
        control_poll_s: seconds between two looks for what is to be cancelled.
        agent: the command that a slot agent is started through; none for a plain child process.
        inherit: lay the batch's environment over the one that agents are started in, instead of replacing it.
        memory_mb: what each slot was given, to be told where a task needed more; 0 for no limit.
        part_bytes: where an event file is cut, for readers that can't skip its beginning; 0 for never.
        tail_bytes: of the end of a large log that is kept beside it, for the same readers; 0 for none.
    """
    order = {
        "version": worker.VERSION,
        "batch": batch.token,
        "run": batch.run,
        "slots": batch.slots,
        "heartbeat": heartbeat_s,
        "workdir": batch.workdir,
        "env": dict(batch.environment),
        "inherit": inherit,
        "agent": list(agent),
        "grace": _GRACE_S,
        "control_poll": control_poll_s,
        "memory": memory_mb,
        "part_bytes": part_bytes,
        "tail_bytes": tail_bytes,
    }
    return {
        "batch.json": _line(order),
        "tasks.jsonl": b"".join(_line(_task(task)) for task in batch.tasks),
    }


def _line(value: object) -> bytes:
    return _encode(value).encode() + b"\n"


def _task(task: TaskSpec) -> dict[str, Any]:
    line: dict[str, Any] = {"i": task.index, "argv": task.argv, "log": task.log, "limit": task.limit_s}
    if task.args_path is not None:
        line |= {"args": task.args, "args_path": task.args_path}
    if task.out_path is not None:
        line["out_path"] = task.out_path
    return line
