"""Where the log of a task is."""

import posixpath
from dataclasses import dataclass

from runners.layout import TaskFiles
from runners.store.reader import Reader
from runners.store.workload import spec_of


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where a log lies."""

    resource: str
    profile: str | None
    path: str | None
    """None for a task that has no batch, and so no log."""


def log_place(reader: Reader, run: str, index: int) -> LogPlace:
    """Where the log of task *index* of *run* is.

    Raises:
        UnknownRunError: there is no such run or task.
    """
    row = reader.run(run)
    task = reader.task(run, index)
    for batch in reader.batches(run):
        if batch.token == task.batch:
            step = spec_of(reader, run).workflow.steps[batch.step]
            folder = posixpath.dirname(posixpath.dirname(batch.folder))
            return LogPlace(row.resource, row.profile, TaskFiles(step, folder, batch.number).log(index))
    return LogPlace(row.resource, row.profile, None)
