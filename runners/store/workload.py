"""What a run was asked to do, read back from its rows."""

import json
from collections.abc import Collection, Iterable

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


def steps_to_plan(reader: Reader, run: str) -> list[int]:
    """The steps of *run* that have begun and of which tasks wait for a batch again, in order."""
    rows = reader.query(
        "SELECT DISTINCT step FROM tasks WHERE run = ? AND batch IS NULL AND state = 'pending' "
        "AND step IN (SELECT step FROM batches WHERE run = ?) ORDER BY step",
        (run, run),
    )
    return [row["step"] for row in rows]


def tasks_to_plan(reader: Reader, run: str, spec: LaunchSpec, position: int) -> list[Numbered]:
    """The tasks of the step at *position* that wait for a batch, by index."""
    return _numbered(reader, run, spec, position, "state = 'pending' AND batch IS NULL", ())


def tasks_of(
    reader: Reader, run: str, spec: LaunchSpec, position: int, states: Collection[State]
) -> list[Numbered]:
    """The tasks of the step at *position* that are in one of *states*, by index."""
    marks = ", ".join("?" * len(states))
    return _numbered(reader, run, spec, position, f"state IN ({marks})", [state.value for state in states])


def _numbered(
    reader: Reader, run: str, spec: LaunchSpec, position: int, where: str, values: Iterable[str]
) -> list[Numbered]:
    once = spec.workflow.steps[position].type is TaskType.NON_PARALLEL
    rows = reader.query(
        f'SELECT "index", place, item, fields FROM tasks WHERE run = ? AND step = ? AND {where} '
        'ORDER BY "index"',
        (run, position, *values),
    )
    return [
        Numbered(index, place, None if once else Item(value=item, fields=json.loads(fields or "null")))
        for index, place, item, fields in rows
    ]
