"""`runyard tasks RUN`: the tasks of a run."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from runners.config.home import Home
from runners.config.units import MEMORY_FLOOR_MB, format_peak_mb, format_time
from runners.states import State
from runners.store.rows import StepRow, TaskRow
from tui import output
from tui.explaining import causes
from tui.failure import ExitCode
from tui.item_words import item_words
from tui.output import Column
from tui.signals import in_words
from tui.verbs.opening import add_json, add_run, example, found_run, keep_up
from tui.verbs.rows import task_object
from tui.verbs.whys import print_causes, why_object
from tui.whys import Whys

_COLUMNS = (
    Column("task", "right"),
    Column("state"),
    Column("item", stretches=True, keep="end"),
    Column("time", "right"),
    Column("memory", "right"),
    Column("reason", stretches=True),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    example(
        parser,
        "List the tasks of a run. The memory of a task is the most that it held; below "
        f"{MEMORY_FLOOR_MB} MB it can't be told from the worker's own.",
        "runyard tasks last --state failed",
        "runyard tasks 3k9m --json | jq -r '.[] | select(.max_rss_mb > 1000) | .item'",
    )
    add_run(parser)
    parser.add_argument(
        "--state",
        action="append",
        choices=[state.value for state in State],
        default=[],
        help="only tasks in this state; can be given several times",
    )
    add_json(parser)


def execute(args: argparse.Namespace, home: Home) -> int:
    """List them."""
    with found_run(home, args.run) as (store, run):
        keep_up(home, store, [run])
        tasks = store.tasks(run.id, states=[State(word) for word in args.state])
        steps = store.steps(run.id)
        whys = Whys(store, run)
    if args.json:
        output.array({**task_object(task), **why_object(whys.of_task(task))} for task in tasks)
    elif not tasks:
        output.line(f"Run {run.id} has no task that is {' or '.join(args.state)}.")
    else:
        _show(tasks, steps)
        failed = causes(whys.of_task(task) for task in tasks if task.state is State.FAILED)
        print_causes("why tasks failed, and what to do:", failed, "task")
    return ExitCode.OK


def _show(tasks: Sequence[TaskRow], steps: Sequence[StepRow]) -> None:
    rows = [_cells(task, steps) for task in tasks]
    if len(steps) > 1:
        names = {step.position: step.name for step in steps}
        columns = (*_COLUMNS[:2], Column("step"), *_COLUMNS[2:])
        stepped = (
            (*row[:2], names.get(task.step, ""), *row[2:]) for task, row in zip(tasks, rows, strict=True)
        )
        output.table(columns, list(stepped))
    else:
        output.table(_COLUMNS, rows)


def _cells(task: TaskRow, steps: Sequence[StepRow]) -> tuple[str, ...]:
    # What never started took neither time nor memory.
    peak = None if task.started is None else task.max_rss_mb
    return (
        str(task.index),
        output.state(task.state),
        item_words(task, steps),
        _time(task),
        "" if peak is None else format_peak_mb(peak),
        in_words(task.reason),
    )


def _time(task: TaskRow) -> str:
    if task.started is not None and task.wall_s is not None:
        return format_time(task.wall_s)
    if task.state is State.RUNNING and task.started is not None:
        return format_time(time.time() - task.started, going=True)
    return ""
