"""Whether what a retry is to give each task can be had: what can be told before the engine is asked.

Imports no textual. Reads files and the store, and blocks.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing

from runners.config.home import Home
from runners.config.resource import LocalResource
from runners.placing import open_resource
from runners.plan import plan_slurm
from runners.requests import TaskNeeds
from runners.states import State
from runners.store.reader import Reader
from runners.store.rows import RunRow
from runners.workflow import Workflow


def check_retry(home: Home, run: RunRow, needs: TaskNeeds) -> None:
    """See to it that a retry of *run* with these *needs* can be, as far as that is known here.

    Raises:
        ConfigError: it can't be; the sentence is the one with which the engine would refuse it.
        StoreError: the store can't be read.
    """
    resource = open_resource(home.resources, run.resource)
    if isinstance(resource, LocalResource):
        # It makes do with what there is.
        return
    with closing(Reader.open(home.database)) as store:
        try:
            steps = Workflow.model_validate(store.launch_spec(run.id)["workflow"]).steps
        except (LookupError, ValueError):
            # Kept by another version of Runyard: the engine tells what it makes of it.
            return
        tasks = store.tasks(run.id, states=[State.FAILED, State.CANCELLED])
    for position, number in Counter(task.step for task in tasks).items():
        plan_slurm(number, resource.jobs_runner_config, needs.over(steps[position].meta))
