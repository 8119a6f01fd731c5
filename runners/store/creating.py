"""Rows of new runs and batches. Each function is part of one transaction of the engine's."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runners.requests import LaunchSpec
from runners.states import State
from runners.store.writer import Change
from runners.tasks import Numbered
from runners.workflow import Item


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run about to be kept."""

    id: str
    spec: LaunchSpec
    folder: str
    """Absolute; the run's own."""
    tasks: Sequence[tuple[int, Numbered]]
    """Each with the position of its step, by index."""
    dataset: Sequence[Item]
    """All items, where a step runs once and is given them together."""
    retry_of: str | None = None


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch about to be kept."""

    token: str
    number: int
    step: int
    slots: int
    folder: str
    tasks: Sequence[int]
    """The indices of its tasks."""


class TasksChangedError(Exception):
    """A task was cancelled while its batch was being prepared."""


def add_run(change: Change, new: NewRun, *, now: float) -> None:
    """Keep a run with its steps and tasks, all pending. A step without tasks is left out."""
    change.insert(
        "runs",
        {
            "id": new.id,
            "name": new.spec.name,
            "resource": new.spec.resource,
            "profile": new.spec.profile,
            "retry_of": new.retry_of,
            "state": State.PENDING.value,
            "created": now,
            "folder": new.folder,
            "workdir": new.spec.workdir or new.folder,
            "spec": new.spec.model_dump_json(),
            "items": json.dumps([item.model_dump() for item in new.dataset]) if new.dataset else "",
        },
    )
    with_tasks = {step for step, _ in new.tasks}
    for position, step in enumerate(new.spec.workflow.steps):
        if position in with_tasks:
            change.insert(
                "steps",
                {
                    "run": new.id,
                    "position": position,
                    "name": step.name,
                    "type": step.type.value,
                    "command": step.command[0] if step.shell else shlex.join(step.command),
                    "state": State.PENDING.value,
                },
            )
    change.add_tasks(new.id, (_task(step, task) for step, task in new.tasks))
    change.add_event(new.id, "launched", {"tasks": len(new.tasks)}, time=now)


def add_batches(change: Change, run: str, plan: str, batches: Iterable[NewBatch], *, now: float) -> None:
    """Keep the batches of one step, with *plan*, the reason for their sizes, in words.

    Raises:
        TasksChangedError: one of their tasks is not waiting for a batch any longer.
    """
    for batch in batches:
        change.insert(
            "batches",
            {
                "token": batch.token,
                "run": run,
                "step": batch.step,
                "number": batch.number,
                "slots": batch.slots,
                "state": State.PENDING.value,
                "folder": batch.folder,
                "created": now,
            },
        )
        assigned = change.execute_many(
            'UPDATE tasks SET batch = ?, revision = ? WHERE run = ? AND "index" = ? AND state = ? '
            "AND batch IS NULL",
            ((batch.token, change.revision, run, index, State.PENDING.value) for index in batch.tasks),
        )
        if assigned != len(batch.tasks):
            raise TasksChangedError(batch.token)
        change.update("steps", {"run": run, "position": batch.step}, {"plan": plan})
    change.recount(run)


def _task(step: int, task: Numbered) -> tuple[int, int, str, dict[str, str] | None, int]:
    item = task.item or Item(value="")
    return task.index, step, item.value, item.fields, task.place
