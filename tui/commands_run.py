"""The commands that the tasks of a run really ran, for a person to read. Imports no textual.

It brings pydantic with it: import it when the screen is there already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from runners.layout import TaskFiles, step_folder
from runners.store.rows import TaskRow
from runners.template import TemplateError
from runners.workflow import Item, TaskType, Workflow, as_typed


class CommandsRun:
    """The commands of one run's tasks."""

    def __init__(self, workflow: Mapping[str, Any], folder: str) -> None:
        """*workflow* is what was launched, and *folder* the run's own."""
        try:
            self._steps = Workflow.model_validate(workflow).steps
        except ValidationError:
            # Kept by another version of Runyard: it can be shown as it stands, and no more.
            self._steps = []
        self._folder = folder

    def of(self, task: TaskRow, batch: int) -> str | None:
        """The command of *task*, of the run's *batch* with that number; None where it can't be told."""
        if task.step >= len(self._steps):
            return None
        step = self._steps[task.step]
        files = TaskFiles(step, step_folder(self._folder, task.step, step.name), batch)
        item = None
        if step.type is TaskType.PARALLEL:
            item = Item(value=task.item, fields=None if task.fields is None else json.loads(task.fields))
        try:
            return as_typed(
                step, item, task.place, args_json=files.args(task.index), out_json=files.out(task.index)
            )
        except TemplateError:
            return None
