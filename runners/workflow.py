"""Workflow, step, dataset, item: what a person wants done, apart from where it runs. Pure: no I/O."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class TaskType(StrEnum):
    """How a step is applied to the dataset (the reference system's words)."""

    PARALLEL = "parallel"
    """Once for each item."""
    NON_PARALLEL = "non_parallel"
    """Once, for the dataset as a whole."""


class StepMeta(BaseModel):
    """What each task of a step needs, and how the step may be cut into batches (reference keys)."""

    model_config = ConfigDict(extra="forbid")

    cpus_per_task: Annotated[int, Field(ge=1)] | None = None
    mem: int | None = None
    """MB for each task."""
    time: int | None = None
    """Seconds that each task may take."""
    tasks_per_job: Annotated[int, Field(ge=1)] | None = None
    parallel_tasks_per_job: Annotated[int, Field(ge=1)] | None = None


class Step(BaseModel):
    """One command, applied to a dataset."""

    model_config = ConfigDict(extra="forbid")

    name: str
    type: TaskType = TaskType.PARALLEL
    command: list[str]
    """Argument list with placeholders such as ``{item}``; with `shell`, one string."""
    shell: bool = False
    args: dict[str, Any] | None = None
    """Arguments handed over as a JSON file, ``{args_json}``."""
    meta: StepMeta = StepMeta()


class Workflow(BaseModel):
    """An ordered list of steps."""

    model_config = ConfigDict(extra="forbid")

    name: str
    steps: Annotated[list[Step], Field(min_length=1)]


class Item(BaseModel):
    """One thing that a parallel step is applied to."""

    model_config = ConfigDict(extra="forbid")

    value: str
    fields: dict[str, str] | None = None
    """Columns of the item where the dataset is a table."""
