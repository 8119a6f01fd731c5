"""Workflow, step, dataset, item: what a person wants done, apart from where it runs.

`read_workflow` reads a file; everything else is pure.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from runners.config.errors import ConfigError, fault, faulty_fields, shown
from runners.config.json_text import from_json, read_file
from runners.config.slurm import ScriptLine
from runners.config.types import Count, Integer, Line, Memory
from runners.config.units import parse_duration
from runners.shell_template import SHELL, shell_script, with_values
from runners.template import BRACES, ITEM_NAMES, PATH_NAMES, TemplateError, fill, split, values_of


class TaskType(StrEnum):
    """How a step is applied to the dataset (the reference system's words)."""

    PARALLEL = "parallel"
    """Once for each item."""
    NON_PARALLEL = "non_parallel"
    """Once, for the dataset as a whole."""


_LATER_TYPES = ("compound", "converter_compound", "converter_non_parallel")
"""The reference system's other types of task."""


def _known_type(value: object) -> object:
    if value in _LATER_TYPES:
        raise ValueError(f"must be parallel or non_parallel: steps of type {value} can't be run yet")
    if value not in tuple(TaskType):
        raise ValueError("must be parallel or non_parallel")
    return value


def _seconds(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Seconds = Annotated[Count, BeforeValidator(_seconds)]
"""Seconds: a whole number, or text such as `"90s"`, `"1:30:00"` or, in minutes as SLURM has it, `"30"`."""


class StepMeta(BaseModel):
    """What each task of a step needs, and how the step may be cut into batches (reference keys)."""

    model_config = ConfigDict(extra="forbid")

    cpus_per_task: Count | None = None
    mem: Memory | None = None
    """MB for each task."""
    time: Seconds | None = None
    """Seconds that each task may take."""
    tasks_per_job: Count | None = None
    parallel_tasks_per_job: Count | None = None
    needs_gpu: bool = False
    """On SLURM: take the resource's GPU set, and run the tasks of a job one at a time."""
    gres: Line | None = None
    """This and the keys below it are SLURM's own and go before the resource's configuration."""
    gpus: Line | None = None
    constraint: Line | None = None
    nodelist: Line | None = None
    exclude: Line | None = None
    nodes: Integer | None = None
    extra_lines: list[ScriptLine] = []

    def for_slurm(self) -> dict[str, Any]:
        """The same in the reference system's form, without `time`: a task's here, and a whole job's there."""
        return self.model_dump(exclude={"time"}, exclude_none=True)


class Step(BaseModel):
    """One command, applied to a dataset."""

    model_config = ConfigDict(extra="forbid")

    name: Line
    type: Annotated[TaskType, BeforeValidator(_known_type)] = TaskType.PARALLEL
    command: list[str]
    """Argument list with placeholders such as ``{item}``; with `shell`, one string, the script.

    It can be given as one string, which is cut into words as a shell does, unless it is a script.
    """
    shell: Annotated[bool, Field(strict=True)] = False
    args: dict[str, Any] | None = None
    """Arguments handed over as a JSON file, ``{args_json}``."""
    meta: StepMeta = StepMeta()

    @model_validator(mode="before")
    @classmethod
    def _command_as_text(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(command := data.get("command"), str):
            return data
        if data.get("shell"):
            return {**data, "command": [command]}
        try:
            return {**data, "command": shlex.split(command)}
        except ValueError as error:
            reason = str(error).lower()
            raise fault([("command", f"can't be cut into words ({reason}); give a list of words")]) from error

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        if not self.command or not self.command[0].strip():
            raise fault([("command", "must not be empty")])
        if self.shell and len(self.command) > 1:
            raise fault([("command", "must be one string, the script, when shell is true")])
        if any("\0" in word for word in self.command):
            raise fault([("command", "must not hold a NUL character, which ends every argument")])
        try:
            json.dumps(self.args, allow_nan=False)
        except ValueError as error:
            raise fault([("args", "must not hold NaN or Infinity, which JSON does not know")]) from error
        return self


class Workflow(BaseModel):
    """An ordered list of steps."""

    model_config = ConfigDict(extra="forbid")

    name: Line
    steps: Annotated[list[Step], Field(min_length=1)]


class Item(BaseModel):
    """One thing that a parallel step is applied to."""

    model_config = ConfigDict(extra="forbid")

    value: str
    fields: dict[str, str] | None = None
    """Columns of the item where the dataset is a table."""


def read_workflow(path: Path) -> Workflow:
    """The workflow in a JSON file.

    Raises:
        ConfigError: it can't be read, or is not a workflow; the sentence names file, step, field and reason.
    """
    data = from_json(read_file(path), shown(path))
    if not isinstance(data, dict):
        raise ConfigError(f"{shown(path)}: a workflow is an object with name and steps.")
    try:
        return Workflow.model_validate(data)
    except ValidationError as error:
        fields = faulty_fields(error)
        told = [(_place(where, data), message) for where, message in fields]
        raise ConfigError(str(ConfigError.at(shown(path), told)), fields) from error


def _place(where: str, data: dict[str, Any]) -> str:
    """Where in a workflow a fault is, for a person: `step 2 'measure': meta.mem`."""
    match where.split(".", 2):
        case ["steps", number, *rest] if number.isdigit():
            step = data["steps"][int(number)]
            name = step.get("name") if isinstance(step, dict) else None
            named = f" {name!r}" if isinstance(name, str) else ""
            return f"step {int(number) + 1}{named}: {rest[0] if rest else 'it'}"
    return where


def placeholders(step: Step, columns: Collection[str] = ()) -> frozenset[str]:
    """The names of the placeholders in the command of *step*, on items with these *columns*.

    Raises:
        TemplateError: the command can't be rendered: it has a placeholder that is not known, or one where no
            value can stand.
    """
    known = _known(step, columns)
    try:
        if step.shell:
            return frozenset(shell_script(step.command[0], known).names)
        return frozenset(part.name for word in step.command for part in split(word, known) if part.name)
    except TemplateError as error:
        raise TemplateError(f"Step {step.name!r}: {_for_all_items(step, columns) or error}") from error


def render(step: Step, item: Item | None, index: int, *, args_json: str, out_json: str) -> list[str]:
    """The argument list of one task of *step*.

    Args:
        item: what a parallel step is applied to; None for a step that runs once.
        index: the position of the task within its step, from 0.
        args_json: path of the file with the task's arguments.
        out_json: path of the file that may hold its result.

    Raises:
        TemplateError: the command has a placeholder that has no value here.
    """
    values = _values(item, index, args_json, out_json)
    if not step.shell:
        return [fill(word, values) for word in step.command]
    script = shell_script(step.command[0], frozenset(values))
    return [SHELL, "-c", script.text, "sh", *(values[name] for name in script.names)]


def as_typed(step: Step, item: Item | None, index: int, *, args_json: str, out_json: str) -> str:
    """What `render` gives, as a person would type it: for people to read, never to be run.

    Raises:
        TemplateError: the command has a placeholder that has no value here.
    """
    if step.shell:
        return with_values(step.command[0], _values(item, index, args_json, out_json))
    return shlex.join(render(step, item, index, args_json=args_json, out_json=out_json))


def arguments(step: Step, items: Sequence[Item]) -> dict[str, Any]:
    """What ``{args_json}`` of one task holds: its item, or of a step that runs once all items; and `args`."""
    if step.type is TaskType.NON_PARALLEL:
        return {"items": [item.value for item in items], **(step.args or {})}
    (item,) = items
    return {**(item.fields or {"item": item.value}), **(step.args or {})}


def _values(item: Item | None, index: int, args_json: str, out_json: str) -> dict[str, str]:
    values = {} if item is None else values_of(item.value, index, item.fields)
    return values | {"args_json": args_json, "out_json": out_json}


def _known(step: Step, columns: Collection[str]) -> frozenset[str]:
    if step.type is TaskType.NON_PARALLEL:
        return frozenset(PATH_NAMES)
    return frozenset((*ITEM_NAMES, *PATH_NAMES, *columns))


def _for_all_items(step: Step, columns: Collection[str]) -> str | None:
    """Why a step that runs once can't have the placeholder of an item; None where that is not the fault."""
    if step.type is TaskType.PARALLEL:
        return None
    names = {*ITEM_NAMES, *columns}
    for match in BRACES.finditer(" ".join(step.command)):
        if match[2] in names:
            return (
                f"{match[0]} stands for one item, but this step runs once, for all items together: "
                "their list is in the file {args_json}, under items."
            )
    return None
