"""A sample of work, to show what a resource makes of it: the plan, and the script that it would submit.

A form shows it beside what is being edited, and the preflight check has the scheduler judge it. Pure, but for
the cores and the memory of this machine, on which work that runs here depends.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from runners.config.resource import LocalResource, Resource, SlurmSSHResource, SlurmSudoResource
from runners.layout import step_folder
from runners.machine import cores, memory_mb
from runners.plan import Plan, plan_local, plan_slurm
from runners.slurm.batch_script import batch_script
from runners.tasks import Numbered, StepContext, batch_spec
from runners.workflow import Item, Step, StepMeta

MOST = 1_000_000
MOST_MB = 1000 * MOST
"""What a sample may ask for of anything, and of memory: beyond it are only mistypings."""

_RUN = "sample"
_TOKEN = "ry-sample"


@dataclass(frozen=True, slots=True)
class Sample:
    """Work that nobody has launched: so many tasks, each of which needs so much."""

    tasks: int = 100
    cpus: int | None = None
    """CPUs of each task; None: what the resource gives them."""
    mem_mb: int | None = None
    """MB of each task; None: what the resource gives them."""
    needs_gpu: bool = False

    @property
    def step(self) -> Step:
        """It as a step of a workflow."""
        meta = StepMeta(cpus_per_task=self.cpus, mem=self.mem_mb, needs_gpu=self.needs_gpu)
        return Step(name=_RUN, command=["true"], meta=meta)


def sample_plan(resource: Resource, sample: Sample) -> Plan:
    """How *resource* would batch the sample.

    Raises:
        ConfigError: it can't; the fields are those of a step's `meta`.
    """
    if isinstance(resource, LocalResource):
        config, meta = resource.jobs_runner_config, sample.step.meta
        return plan_local(sample.tasks, config, meta, cores=cores(), memory_mb=memory_mb())
    return plan_slurm(sample.tasks, resource.jobs_runner_config, sample.step.meta)


def sample_script(
    resource: SlurmSudoResource | SlurmSSHResource, sample: Sample, *, jobs_folder: str
) -> bytes:
    """The whole script of the sample's first job, as sbatch would get it.

    Args:
        resource: the cluster.
        sample: the work.
        jobs_folder: where runs get their folders there, absolute.

    Raises:
        ConfigError: the sample can't be batched, or a value can't stand in a script.
    """
    plan = sample_plan(resource, sample)
    step = sample.step
    folder = posixpath.join(jobs_folder, _RUN)
    batch = batch_spec(
        StepContext(_RUN, step, step_folder(folder, 0, step.name), folder, {}),
        [Numbered(index, index, Item(value=str(index))) for index in range(plan.tasks_per_batch)],
        token=_TOKEN,
        number=0,
        slots=plan.slots_per_batch,
    )
    return batch_script(batch, resource, jobs_folder)
