"""What a run was asked to do, read back from its rows."""

import json
from collections.abc import Collection

from runners.requests import LaunchSpec
from runners.states import State
from runners.store.reader import Reader
from runners.tasks import Numbered
from runners.workflow import Item, TaskType


def spec_of(reader: Reader, run: str) -> LaunchSpec:
    """What was asked for when *run* was launched.

    Raises:
        UnknownRunError: there is no such run.
    """
    return LaunchSpec.model_validate(reader.launch_spec(run))


def dataset_of(reader: Reader, run: str) -> list[Item]:
    """All items of *run*, where one of its steps runs once and is given them together; else none."""
    (row,) = reader.query("SELECT items FROM runs WHERE id = ?", (run,))
    return [Item.model_validate(item) for item in json.loads(row["items"] or "[]")]


def tasks_of(
    reader: Reader, run: str, spec: LaunchSpec, position: int, states: Collection[State]
) -> list[Numbered]:
    """The tasks of the step at *position* that are in one of *states*, by index."""
    once = spec.workflow.steps[position].type is TaskType.NON_PARALLEL
    marks = ", ".join("?" * len(states))
    rows = reader.query(
        f'SELECT "index", place, item, fields FROM tasks WHERE run = ? AND step = ? AND state IN ({marks}) '
        'ORDER BY "index"',
        (run, position, *(state.value for state in states)),
    )
    return [
        Numbered(index, place, None if once else Item(value=item, fields=json.loads(fields or "null")))
        for index, place, item, fields in rows
    ]
