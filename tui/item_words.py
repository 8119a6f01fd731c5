"""A task's item as a person knows it. Imports no textual."""

from __future__ import annotations

import json
from collections.abc import Iterable

from runners.store.rows import StepRow, TaskRow

ALL_ITEMS = "(all items)"
"""What a step that runs once is applied to."""


def item_words(task: TaskRow, steps: Iterable[StepRow]) -> str:
    """The item of *task*, of a table with all its columns: `P1  A01`. Untrusted, as the item is."""
    if any(step.position == task.step and step.type == "non_parallel" for step in steps):
        return ALL_ITEMS
    if task.fields is None:
        return task.item
    fields: dict[str, str] = json.loads(task.fields)
    return "  ".join(fields.values())
