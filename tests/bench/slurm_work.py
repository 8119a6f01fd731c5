"""How fast the tasks of one SLURM job go, and how fast the usual ways are with as many CPUs."""

import asyncio
import os
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from runners.config.files import read_resource
from runners.config.resource import SlurmSudoResource
from runners.slurm.directives import OUTPUT
from tests.bench.figures import Figure
from tests.lab.lab import Lab
from tests.slurm.clusters import events_on_disk
from tests.slurm.runners import sudo_cluster

SLOTS = 4
TASKS, TASK_S = 400, 0.2
NOOPS, NOOP_ROUNDS = 64, 5

_LONGEST_S = 600.0
"""That one job may take: hundreds of steps that all want to begin take long on a busy machine."""

_RETRY = re.compile(r"step creation (?:temporarily|still) disabled", re.IGNORECASE)
_BEGUN = r"^\[(\S+)\] sched.* JobId={job}\b"
_ENDED = r"^\[(\S+)\] _job_complete: JobId={job} done"
"""What slurmctld logs of a job."""

_NOW = "date +%s.%N"
_TIME = re.compile(r"\d{10}\.\d{9}")

_SRUN = "srun --exact -N1 -n1 -c1 --mem=100M"
_SRUN_EACH = "for i in $(seq {tasks}); do " + _SRUN + " {task} & done; wait"
_XARGS = "seq {tasks} | xargs -P{slots} -I_ {task}"


@contextmanager
def a_lab(nodes: int = 4) -> Iterator[Lab]:
    """A cluster of its own, gone afterwards."""
    lab = Lab.up_somewhere(nodes=nodes)
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = lab.spec.conf
    try:
        yield lab
    finally:
        os.environ.pop("SLURM_CONF")
        os.environ |= {"SLURM_CONF": before} if before else {}
        lab.down()


def tasks_in_slots() -> Iterator[Figure]:
    """400 tasks of 0.2 s on 4 slots of one job, from its first line to its last."""
    ideal = TASKS * TASK_S / SLOTS
    task = f"sleep {TASK_S}"
    with a_lab() as lab:
        ours = asyncio.run(_in_slots(lab, task, TASKS))
        forked = _as_usual(lab, _XARGS.format(tasks=TASKS, slots=SLOTS, task=task))
        steps = _as_usual(lab, _SRUN_EACH.format(tasks=TASKS, task=task))
    yield Figure(
        f"{TASKS} tasks of {TASK_S} s on {SLOTS} slots of a SLURM job, times {ideal:g} s",
        ours.working_s / ideal,
        "x",
        1.03,
        f"Runyard {ours.working_s:.2f} s, xargs -P{SLOTS} without steps {forked.working_s:.2f} s, "
        f"one srun & for each {steps.working_s:.2f} s with {steps.retries:,} retries",
    )


def noops_in_slots() -> Iterator[Figure]:
    """64 tasks that do nothing, in one job, from its allocation to its end; the middle one of five each."""
    with a_lab() as lab:
        rounds = [
            (
                asyncio.run(_in_slots(lab, "true", NOOPS)),
                _as_usual(lab, _SRUN_EACH.format(tasks=NOOPS, task="true")),
            )
            for _ in range(NOOP_ROUNDS)
        ]
    ours, usual = (statistics.median(job.allocated_s for job in jobs) for jobs in zip(*rounds, strict=True))
    yield Figure(
        f"{NOOPS} no-op tasks in one SLURM job, of the time with one srun & for each",
        ours / usual,
        "x",
        0.25,
        f"Runyard {ours:.2f} s, one srun & for each {usual:.2f} s ({usual / ours:.1f} x)",
    )
    yield Figure(
        "… retries of step creation",
        sum(job.retries for job, _ in rounds),
        "",
        0,
        f"one srun & for each: {sum(job.retries for _, job in rounds) / NOOP_ROUNDS:.0f} in a job",
    )


@dataclass(frozen=True, slots=True)
class _Done:
    """A job that has ended."""

    allocated_s: float
    """From its allocation to its end, by slurmctld's clock."""
    working_s: float
    """From its first line to its last, or to its worker's last word."""
    retries: int
    """Of step creation."""


async def _in_slots(lab: Lab, task: str, count: int) -> _Done:
    """A batch with *count* tasks."""
    resource = read_resource(lab.home.resources, "lab-sudo").value
    assert isinstance(resource, SlurmSudoResource)
    config = resource.jobs_runner_config
    lines = config.default_slurm_config.model_copy(update={"extra_lines": [_NOW]})
    cluster = sudo_cluster(lab, jobs_runner_config=config.model_copy(update={"default_slurm_config": lines}))
    batch = cluster.batch(*[task] * count, slots=SLOTS)
    # As the usual ways have it: without a shell around each.
    tasks = [replace(spec, argv=tuple(task.split())) for spec in batch.tasks]
    (one,) = await cluster.started(replace(batch, tasks=tasks))
    # Nobody looks meanwhile: looks take nothing of a cluster's nodes, but would of this machine.
    allocated_s = _allocated_s(lab, cluster.job(one))
    await cluster.ended(one)
    if list(one.verdicts.values()) != ["done"] * count:
        raise RuntimeError(f"the bench's batch did not end well: {one}")
    printed = cluster.here(f"{batch.folder}/{OUTPUT}").read_text()
    last = events_on_disk(cluster, batch)[-1]["t"]
    return _Done(allocated_s, last - float(printed.split()[0]), _retries(printed))


def _as_usual(lab: Lab, work: str) -> _Done:
    """A job with as many CPUs that does *work*."""
    path = f"{lab.spec.home_of(lab.spec.user)}/usual.out"
    # Hundreds of srun at the same time need memory of their own.
    size = (f"--ntasks={SLOTS}", "--cpus-per-task=1", "--mem=8000M", f"--output={path}")
    script = f"#!/bin/sh\n{_NOW}\n{work}\n{_NOW}\n"
    submitted = lab.run("sbatch", "--parsable", *size, user=lab.spec.user, stdin=script)
    allocated_s = _allocated_s(lab, submitted.stdout.strip())
    printed = lab.here(path).read_text(errors="replace")
    first, last = (float(line) for line in printed.splitlines() if _TIME.fullmatch(line))
    if "error" in printed:
        raise RuntimeError(f"the usual way did not end well: {printed[-1000:]}")
    return _Done(allocated_s, last - first, _retries(printed))


def _allocated_s(lab: Lab, job: str) -> float:
    """From the allocation of a job to its end; waits for the end."""
    log = lab.spec.here / "log" / "slurmctld"
    until = time.monotonic() + _LONGEST_S
    while True:
        text = log.read_text(errors="replace")
        times = [re.search(line.format(job=job), text, re.MULTILINE) for line in (_BEGUN, _ENDED)]
        found = [datetime.fromisoformat(match[1]) for match in times if match]
        if len(found) == len(times):
            return (found[1] - found[0]).total_seconds()
        if time.monotonic() > until:
            raise RuntimeError(f"the bench's job {job} has come to no end")
        time.sleep(0.1)


def _retries(printed: str) -> int:
    return len(_RETRY.findall(printed))
