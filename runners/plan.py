"""How the tasks of a step become batches: the reference system's heuristics, and the plan. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runners.config.errors import ConfigError
from runners.config.local import LocalRunnerConfig
from runners.config.slurm import BatchingConfig, SlurmRunnerConfig
from runners.config.units import format_duration, format_mb, parse_duration
from runners.slurm.job_time import LONGEST_S, job_time_s, tasks_in_turn
from runners.slurm.settings import JobSettings, job_settings
from runners.slurm.shares import most_slots
from runners.workflow import StepMeta

CROWDED = 4
"""More slots than this for each core of the local machine are worth a warning."""


class Branch(StrEnum):
    """Which rule decided the number of slots, or the sizes of SLURM jobs."""

    STEP = "step"
    """Local: the step says how many tasks run at a time."""
    RESOURCE = "resource"
    """Local: the resource says so."""
    NO_LIMIT = "no limit"
    """Local: neither does, so all run at once."""
    GIVEN = "given"
    """SLURM 1: the step gives both sizes."""
    TARGETS = "targets"
    """SLURM 2: jobs within all targets."""
    MAXIMA = "maxima"
    """SLURM 3: jobs within all maxima."""
    QUEUE = "queue"
    """SLURM 4: as many jobs as there may be, with tasks that wait inside them."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the heuristics make a SLURM job."""

    tasks_per_job: int
    parallel_tasks_per_job: int
    branch: Branch
    reason: str
    """Why, in words."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """One batch: which tasks it holds, and what it asks for."""

    number: int
    """From 0 on, within its step."""
    first: int
    """Index of its first task."""
    tasks: int
    """How many tasks it holds: those from `first` on."""
    slots: int
    cpus: int
    """CPUs of all slots together."""
    mem_mb: int | None
    """Memory of all slots together; None where nothing was asked for."""

    @property
    def indices(self) -> range:
        """The indices of its tasks."""
        return range(self.first, self.first + self.tasks)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a launch will do with the tasks of one step; also what a dry run shows."""

    batches: tuple[BatchPlan, ...]
    branch: Branch
    reason: str
    """Why the batches are as they are, in words."""
    warnings: tuple[str, ...] = ()
    """One sentence each."""

    @property
    def tasks(self) -> int:
        """How many tasks there are in all batches."""
        return sum(batch.tasks for batch in self.batches)

    @property
    def slots(self) -> int:
        """How many tasks run at the same time when all batches run."""
        return sum(batch.slots for batch in self.batches)

    @property
    def tasks_per_batch(self) -> int:
        """Tasks in the largest batch; only the last one may be smaller."""
        return self.batches[0].tasks

    @property
    def slots_per_batch(self) -> int:
        """Slots of the largest batch."""
        return self.batches[0].slots

    @property
    def cpus_per_batch(self) -> int:
        """CPUs of the largest batch."""
        return self.batches[0].cpus

    @property
    def mem_mb_per_batch(self) -> int | None:
        """Memory of the largest batch in MB; None where nothing was asked for."""
        return self.batches[0].mem_mb


def heuristics(
    tot_tasks: int,
    cpus_per_task: int,
    mem_per_task: int,
    limits: BatchingConfig,
    tasks_per_job: int | None = None,
    parallel_tasks_per_job: int | None = None,
    needs_gpu: bool = False,
) -> Sizes:
    """How many tasks a SLURM job holds, and how many of them run at a time; memory in MB.

    The rules are those of the reference system (shared/conformance/README.md, "Heuristics").
    Raises `ConfigError` where the step cannot be done within the limits.
    """
    _positive(
        cpus_per_task=cpus_per_task,
        mem=mem_per_task,
        tasks_per_job=tasks_per_job,
        parallel_tasks_per_job=parallel_tasks_per_job,
    )
    if cpus_per_task > limits.max_cpus_per_job:
        raise _refused(
            "cpus_per_task", f"must not be above max_cpus_per_job, which is {limits.max_cpus_per_job}"
        )
    if mem_per_task > limits.max_mem_per_job:
        raise _refused(
            "mem", f"must not be above max_mem_per_job, which is {format_mb(limits.max_mem_per_job)}"
        )
    if tasks_per_job is not None and parallel_tasks_per_job is not None:
        sizes = _given(tot_tasks, cpus_per_task, mem_per_task, limits, tasks_per_job, parallel_tasks_per_job)
    elif tasks_per_job is not None:
        raise _refused("parallel_tasks_per_job", "is missing: it goes with tasks_per_job")
    elif parallel_tasks_per_job is not None:
        raise _refused("tasks_per_job", "is missing: it goes with parallel_tasks_per_job")
    else:
        sizes = _fitted(tot_tasks, cpus_per_task, mem_per_task, limits, alone=needs_gpu)
    if needs_gpu and sizes.parallel_tasks_per_job > 1:
        they = "But they" if sizes.branch is Branch.GIVEN else "They"
        reason = f"{sizes.reason} {they} run one at a time, because tasks of one job cannot share its GPU."
        return Sizes(sizes.tasks_per_job, 1, sizes.branch, reason)
    return sizes


def plan_local(tasks: int, config: LocalRunnerConfig, meta: StepMeta, *, cores: int, memory_mb: int) -> Plan:
    """One batch for all tasks, on a machine with `cores` usable cores and `memory_mb` MB of memory.

    The step's `parallel_tasks_per_job` goes before the resource's; with neither there are as many slots as
    tasks. What a task asks for limits the slots to what the machine has. Raises `ConfigError` for no tasks or
    no slots.
    """
    _some(tasks)
    wanted, branch, reason = _wanted_slots(tasks, config, meta)
    _positive(parallel_tasks_per_job=wanted, cpus_per_task=meta.cpus_per_task, mem=meta.mem)
    slots = min(tasks, wanted)
    if tasks < wanted:
        reason += f" There {'is' if tasks == 1 else 'are'} only {_count(tasks, 'task')}."
    warnings = []
    needs = []
    if meta.cpus_per_task is not None:
        each, machine = _count(meta.cpus_per_task, "CPU"), _count(cores, "core")
        needs.append(("cores", meta.cpus_per_task, cores, each, machine))
    if meta.mem is not None:
        machine = f"{format_mb(memory_mb)} of memory"
        needs.append(("memory", meta.mem, memory_mb, format_mb(meta.mem), machine))
    for what, need, have, each, machine in needs:
        if need > have:
            if slots > 1:
                reason += f" But one task asks for more {what} than the machine has, so one at a time."
            slots = 1
            warnings.append(
                f"A task asks for {each}, more than this machine has ({machine}); tasks run one at a time."
            )
        elif slots * need > have:
            slots = have // need
            reason += f" With {each} for each task there is room for {slots} on this machine ({machine})."
    if meta.mem is not None:
        warnings.append(
            f"This machine does not enforce memory: a task that uses more than {format_mb(meta.mem)} goes on."
        )
    if slots > CROWDED * cores:
        warnings.append(
            f"{slots} tasks at a time are more than {CROWDED} for each of the {_count(cores, 'core')}; "
            "set parallel_tasks_per_job to run fewer."
        )
    if meta.tasks_per_job is not None:
        warnings.append("tasks_per_job has no effect on this machine: all tasks are one batch.")
    if slurm_only := [name for name in _SLURM_ONLY if getattr(meta, name)]:
        warnings.append(f"Only SLURM knows {', '.join(slurm_only)}: no effect on this machine.")
    batches = _cut(tasks, tasks, slots, meta.cpus_per_task or 1, meta.mem)
    return Plan(batches, branch, reason, tuple(warnings))


def job_sizes(tasks: int, settings: JobSettings) -> Sizes:
    """The sizes of the SLURM jobs of a step with these *settings*. Raises what `heuristics` raises."""
    return heuristics(
        tasks,
        settings.cpus_per_task,
        settings.mem_per_task,
        settings.batching,
        settings.tasks_per_job,
        settings.parallel_tasks_per_job,
        settings.needs_gpu,
    )


def plan_slurm(tasks: int, config: SlurmRunnerConfig, meta: StepMeta) -> Plan:
    """The SLURM jobs of a step, by the heuristics.

    Raises `ConfigError` for no tasks, a step whose needs can't be told, and one that cannot be done within
    the limits, or within the longest time that SLURM gives a job.
    """
    _some(tasks)
    settings = job_settings(config, meta.for_slurm(), "")
    sizes = job_sizes(tasks, settings)
    cpus, mem = settings.cpus_per_task, settings.mem_per_task
    slots, most = sizes.parallel_tasks_per_job, most_slots(settings)
    warnings = []
    if most is not None and most < slots:
        slots = most
        each = ", ".join(filter(None, (settings.gres, settings.gpus)))
        warnings.append(
            f"A job runs {_count(most, 'task')} at a time: more can't have a part each of what it asks for "
            f"({each})."
        )
    batches = _cut(tasks, sizes.tasks_per_job, slots, cpus, mem)
    in_turn = tasks_in_turn(batches[0].tasks, batches[0].slots)
    if meta.time is not None:
        job_s = job_time_s(batches[0].tasks, batches[0].slots, meta.time)
        each = "" if in_turn == 1 else f", for {in_turn} tasks one after the other"
        fewer = "" if in_turn == 1 else ", or put fewer tasks into a job"
        _bounded(job_s, f"makes jobs of {format_duration(job_s)}{each}", f"ask for less{fewer}")
    else:
        _bounded(_seconds(settings.time), f"is {settings.time} in the resource", "set less there")
    if in_turn > 1 and meta.time is None:
        warnings.append(
            f"Each slot runs up to {in_turn} tasks one after the other; "
            "the time limit of a job must be long enough for all of them."
        )
    return Plan(batches, sizes.branch, sizes.reason, tuple(warnings))


def _bounded(job_s: int, what: str, remedy: str) -> None:
    """Refuse a *job_s* that SLURM would read as something else."""
    if job_s > LONGEST_S:
        most = format_duration(LONGEST_S)
        raise _refused("time", f"{what}, but SLURM can't give a job more than {most}; {remedy}")


def _seconds(time: str | None) -> int:
    """Of a job's limit as the resource has it; 0 where it has none, or one that is not read here."""
    try:
        return parse_duration(time or "")
    except ValueError:
        return 0


def _given(tasks: int, cpus: int, mem: int, limits: BatchingConfig, per_job: int, parallel: int) -> Sizes:
    parallel = min(parallel, per_job)
    if parallel * cpus > limits.max_cpus_per_job:
        raise _refused(
            "parallel_tasks_per_job",
            f"makes jobs of {parallel * cpus} CPUs, but max_cpus_per_job is {limits.max_cpus_per_job}",
        )
    if parallel * mem > limits.max_mem_per_job:
        raise _refused(
            "parallel_tasks_per_job",
            f"makes jobs of {format_mb(parallel * mem)}, "
            f"but max_mem_per_job is {format_mb(limits.max_mem_per_job)}",
        )
    jobs = _jobs(tasks, per_job)
    if jobs > limits.max_num_jobs:
        raise _refused("tasks_per_job", f"makes {jobs} jobs, but max_num_jobs is {limits.max_num_jobs}")
    reason = f"The step asks for {_count(per_job, 'task')} in a job, {parallel} at a time."
    return Sizes(per_job, parallel, Branch.GIVEN, reason)


def _fitted(tasks: int, cpus: int, mem: int, limits: BatchingConfig, *, alone: bool) -> Sizes:
    """Sizes by the limits. *alone*: the reason says nothing of tasks at a time, as they run one by one."""
    fit = _fit(cpus, mem, limits.target_cpus_per_job, limits.target_mem_per_job)
    jobs = _jobs(tasks, fit)
    size = f"{limits.target_cpus_per_job} CPUs and {format_mb(limits.target_mem_per_job)}"
    if jobs <= limits.target_num_jobs:
        reason = (
            f"A job of {size} (the targets) has room for {_count(fit, 'task')}; "
            f"that makes {_count(jobs, 'job')}, within the target of {limits.target_num_jobs}."
        )
        return Sizes(fit, fit, Branch.TARGETS, reason)
    why = f"Jobs of {size} (the targets) would be {jobs}, above the target of {limits.target_num_jobs}."
    fit = _fit(cpus, mem, limits.max_cpus_per_job, limits.max_mem_per_job)
    jobs = _jobs(tasks, fit)
    size = f"{limits.max_cpus_per_job} CPUs and {format_mb(limits.max_mem_per_job)}"
    if jobs <= limits.max_num_jobs:
        reason = (
            f"{why} A job of {size} (the maxima) has room for {_count(fit, 'task')}; "
            f"that makes {_count(jobs, 'job')}, within the maximum of {limits.max_num_jobs}."
        )
        return Sizes(fit, fit, Branch.MAXIMA, reason)
    per_job = _jobs(tasks, limits.max_num_jobs)
    at_a_time = "" if alone and fit > 1 else f", of which {fit} {'runs' if fit == 1 else 'run'} at a time"
    reason = (
        f"{why} Even jobs of {size} (the maxima) would be {jobs}, above the maximum "
        f"of {limits.max_num_jobs}; so a job holds {_count(per_job, 'task')}{at_a_time}."
    )
    return Sizes(per_job, fit, Branch.QUEUE, reason)


def _fit(cpus: int, mem: int, cpus_per_job: int, mem_per_job: int) -> int:
    return max(1, min(cpus_per_job // cpus, mem_per_job // mem))


def _jobs(tasks: int, per_job: int) -> int:
    return -(-tasks // per_job)


def _wanted_slots(tasks: int, config: LocalRunnerConfig, meta: StepMeta) -> tuple[int, Branch, str]:
    if (wanted := meta.parallel_tasks_per_job) is not None:
        return wanted, Branch.STEP, f"The step asks for {_count(wanted, 'task')} at a time."
    if (wanted := config.parallel_tasks_per_job) is not None:
        return wanted, Branch.RESOURCE, f"The resource runs {_count(wanted, 'task')} of a run at a time."
    reason = "Neither the step nor the resource limits how many tasks run at a time."
    return tasks, Branch.NO_LIMIT, reason


def _cut(tasks: int, per_batch: int, slots: int, cpus: int, mem: int | None) -> tuple[BatchPlan, ...]:
    batches = []
    for number, first in enumerate(range(0, tasks, per_batch)):
        count = min(per_batch, tasks - first)
        used = min(slots, count)
        batches.append(
            BatchPlan(number, first, count, used, used * cpus, None if mem is None else used * mem)
        )
    return tuple(batches)


def _some(tasks: int) -> None:
    if tasks < 1:
        raise ConfigError("There is nothing to run: the step has no tasks; give it at least one item.")


def _positive(**values: int | None) -> None:
    faults = [
        (name, "must be 1 or more") for name, value in values.items() if value is not None and value < 1
    ]
    if faults:
        raise ConfigError.at(_WHERE, faults)


def _refused(field: str, message: str) -> ConfigError:
    return ConfigError.at(_WHERE, [(field, message)])


_WHERE = "The step cannot be planned"

_SLURM_ONLY = ("needs_gpu", "gres", "gpus", "constraint", "nodelist", "exclude", "nodes", "extra_lines")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
