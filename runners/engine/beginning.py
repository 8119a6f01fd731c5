"""The beginning of a step: its tasks are cut into batches, and what the batches need is put in place."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from runners.base import BaseRunner
from runners.batches import BatchSpec
from runners.engine.storing import Store
from runners.layout import batch_token, step_folder
from runners.requests import LaunchSpec
from runners.store.creating import NewBatch, TasksChangedError, add_batches
from runners.store.rows import RunRow, StepRow
from runners.store.workload import dataset_of, spec_of, tasks_to_plan
from runners.store.writer import Writer
from runners.tasks import Numbered, StepContext, batch_spec
from runners.workflow import Item

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """Batches that are in place, and not yet kept nor started."""

    plan: str
    """The reason for their sizes, in words."""
    batches: Sequence[NewBatch]


async def begin_step(
    runner: BaseRunner,
    run: str,
    spec: LaunchSpec,
    position: int,
    tasks: Sequence[Numbered],
    *,
    folder: str,
    dataset: Sequence[Item],
    first_number: int,
    salt: str,
) -> Begun:
    """Plan the batches of step *position* and prepare them. Doing it again leads to the same batches.

    Args:
        runner: of the run's resource.
        run: the run's id.
        spec: what was asked for.
        position: which step it is.
        tasks: the step's tasks, one or more, by index.
        folder: the run's own.
        dataset: all items, where the step runs once and is given them together.
        first_number: how many batches the run has had so far.
        salt: what keeps tokens of this state folder apart from those of others.

    Raises:
        ConfigError: the step can't be planned.
        TemplateError: its command can't be rendered.
        RunnerError: what the batches need can't be put in place.
    """
    step = spec.workflow.steps[position]
    plan = runner.plan(step, len(tasks))
    below = step_folder(folder, position, step.name)
    context = StepContext(run, step, below, spec.workdir or folder, spec.environment, dataset)

    def specs() -> list[BatchSpec]:
        return [
            batch_spec(
                context,
                [tasks[place] for place in batch.indices],
                token=batch_token(run, first_number + batch.number, salt),
                number=first_number + batch.number,
                slots=batch.slots,
            )
            for batch in plan.batches
        ]

    batches = await asyncio.to_thread(specs)
    await runner.prepare(batches)
    return Begun(
        plan.reason,
        [
            NewBatch(
                token=batch.token,
                number=first_number + number,
                step=position,
                slots=batch.slots,
                folder=batch.folder,
                tasks=[task.index for task in batch.tasks],
            )
            for number, batch in enumerate(batches)
        ],
    )


async def keep_step(
    store: Store, runner: BaseRunner, run: RunRow, step: StepRow, first_number: int, salt: str
) -> bool:
    """Plan and prepare batches for the tasks of *step* that have none, and keep them; False when all have.

    Raises:
        ConfigError, TemplateError, RunnerError: see :func:`begin_step`.
    """

    def load(writer: Writer) -> tuple[LaunchSpec, list[Numbered], list[Item]]:
        with writer.snapshot():
            spec = spec_of(writer, run.id)
            tasks = tasks_to_plan(writer, run.id, spec, step.position)
            return spec, tasks, dataset_of(writer, run.id)

    spec, tasks, dataset = await store.read(load)
    if not tasks:
        return False
    begun = await begin_step(
        runner,
        run.id,
        spec,
        step.position,
        tasks,
        folder=run.folder,
        dataset=dataset,
        first_number=first_number,
        salt=salt,
    )
    # What was planned first tells more than what a few tasks that came back were given.
    plan = step.plan or begun.plan
    try:
        await store.change(lambda change, now: add_batches(change, run.id, plan, begun.batches, now=now))
    except TasksChangedError:
        log.info("Run %s: a task was cancelled meanwhile; planning again.", run.id)
    return True
