"""How fast the tasks of one SLURM job go, and how fast the usual ways are in a job of the same size."""

import asyncio
import os
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

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
    """400 tasks of 0.2 s on 4 slots of one job, from its allocation to its end."""
    ideal = TASKS * TASK_S / SLOTS
    with a_lab() as lab:
        took, _ = asyncio.run(_in_slots(lab, [f"sleep {TASK_S}"] * TASKS))
        forked, _ = _as_usual(lab, _XARGS.format(tasks=TASKS, slots=SLOTS, task=f"sleep {TASK_S}"))
        steps, retries = _as_usual(lab, _SRUN_EACH.format(tasks=TASKS, task=f"sleep {TASK_S}"))
    yield Figure(
        f"{TASKS} tasks of {TASK_S} s on {SLOTS} slots of a SLURM job, times {ideal:g} s",
        took / ideal,
        "x",
        1.03,
        f"Runyard {took:.2f} s, xargs -P{SLOTS} without steps {forked:.2f} s, "
        f"one srun & for each {steps:.2f} s with {retries} retries",
    )


def noops_in_slots() -> Iterator[Figure]:
    """64 tasks that do nothing, in one job, from its allocation to its end; the middle one of five each."""
    ours: list[float] = []
    usual: list[float] = []
    our_retries = retries = 0
    with a_lab() as lab:
        for _ in range(NOOP_ROUNDS):
            took, retried = asyncio.run(_in_slots(lab, ["true"] * NOOPS))
            ours.append(took)
            our_retries += retried
            took, retried = _as_usual(lab, _SRUN_EACH.format(tasks=NOOPS, task="true"))
            usual.append(took)
            retries += retried
    took, beside = statistics.median(ours), statistics.median(usual)
    yield Figure(
        f"{NOOPS} no-op tasks in one SLURM job, of the time with one srun & for each",
        took / beside,
        "x",
        0.25,
        f"Runyard {took:.2f} s, one srun & for each {beside:.2f} s ({beside / took:.1f} x)",
    )
    yield Figure(
        "… retries of step creation", our_retries, "", 0, f"one srun & for each: {retries / NOOP_ROUNDS:.0f}"
    )


async def _in_slots(lab: Lab, scripts: Sequence[str]) -> tuple[float, int]:
    """Seconds that a batch takes, and retries of step creation."""
    cluster = sudo_cluster(lab)
    batch = cluster.batch(*scripts, slots=SLOTS)
    (one,) = await cluster.started(batch)
    while not one.over:
        # No more often than the engine does: looks take their share of this machine's cores.
        await asyncio.sleep(cluster.runner.pace.quick_s)
        await cluster.look(one)
    ends = [event["state"] for event in events_on_disk(cluster, batch) if event["e"] == "end"]
    if ends != ["done"] * len(scripts):
        raise RuntimeError(f"the bench's batch did not end well: {ends}")
    return _seconds(lab, cluster.job(one)), _retries(cluster.here(f"{batch.folder}/{OUTPUT}"))


def _as_usual(lab: Lab, work: str) -> tuple[float, int]:
    """Seconds that *work* takes in a job of the same size, and retries of step creation."""
    path = f"{lab.spec.home_of(lab.spec.user)}/usual.out"
    size = (f"--ntasks={SLOTS}", "--cpus-per-task=1", f"--mem={SLOTS * 100}M", f"--output={path}")
    submitted = lab.run("sbatch", "--parsable", *size, user=lab.spec.user, stdin=f"#!/bin/sh\n{work}\n")
    return _seconds(lab, submitted.stdout.strip()), _retries(lab.here(path))


def _seconds(lab: Lab, job: str) -> float:
    """From the allocation of a job to its end, by slurmctld's own clock; waits for the end."""
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


def _retries(output: Path) -> int:
    return len(_RETRY.findall(output.read_text(errors="replace")))
