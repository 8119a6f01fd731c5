"""How fast the tasks of one SLURM job go, and how fast the usual ways are in a job of the same size."""

import asyncio
import os
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from runners.slurm.directives import OUTPUT
from tests.bench.figures import Figure
from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster, events_on_disk
from tests.slurm.runners import sudo_cluster

SLOTS = 4
TASKS, TASK_S = 400, 0.2
NOOPS, NOOP_ROUNDS = 64, 5

_LONGEST_S = 120.0
_BEGAN = "date +%s.%N"
"""The first line of a job: its nodes are allocated."""
_RETRY = re.compile(r"step creation temporarily disabled", re.IGNORECASE)

_SRUN = "srun --exact -N1 -n1 -c1 --mem=100M"
_SRUN_EACH = "for i in $(seq {tasks}); do " + _SRUN + " {task} & done; wait"
_XARGS = "seq {tasks} | xargs -P{slots} -I_ {task}"


@contextmanager
def a_lab() -> Iterator[Lab]:
    """A cluster of its own, gone afterwards."""
    lab = Lab.up_somewhere()
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = lab.spec.conf
    try:
        yield lab
    finally:
        os.environ.pop("SLURM_CONF")
        os.environ |= {"SLURM_CONF": before} if before else {}
        lab.down()


def tasks_in_slots() -> Iterator[Figure]:
    """400 tasks of 0.2 s on 4 slots of one job."""
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
    """Seconds from the allocation of a batch to its last event, and retries of step creation."""
    cluster = _timed_cluster(lab)
    batch = cluster.batch(*scripts, slots=SLOTS)
    await cluster.ended(*await cluster.started(batch), timeout_s=_LONGEST_S)
    events = events_on_disk(cluster, batch)
    ends = [event["state"] for event in events if event["e"] == "end"]
    if ends != ["done"] * len(scripts):
        raise RuntimeError(f"the bench's batch did not end well: {ends}")
    printed = cluster.here(f"{batch.folder}/{OUTPUT}").read_text()
    return events[-1]["t"] - float(printed.split()[0]), len(_RETRY.findall(printed))


def _timed_cluster(lab: Lab) -> Cluster:
    """A runner whose jobs say first when they began."""
    cluster = sudo_cluster(lab)
    config = cluster.runner._resource.jobs_runner_config
    task = config.default_slurm_config.model_copy(update={"extra_lines": [_BEGAN]})
    return sudo_cluster(lab, jobs_runner_config=config.model_copy(update={"default_slurm_config": task}))


def _as_usual(lab: Lab, work: str) -> tuple[float, int]:
    """Seconds that *work* takes in a job of the same size, and retries of step creation."""
    user, path = lab.spec.user, f"{lab.spec.home_of(lab.spec.user)}/usual.out"
    lab.here(path).unlink(missing_ok=True)
    script = f"#!/bin/sh\n{_BEGAN}\n{work}\n{_BEGAN}\necho end\n"
    size = (f"--ntasks={SLOTS}", "--cpus-per-task=1", f"--mem={SLOTS * 100}M", f"--output={path}")
    lab.run("sbatch", *size, user=user, stdin=script)
    until = time.monotonic() + _LONGEST_S
    while not (lab.here(path).exists() and lab.here(path).read_text().endswith("end\n")):
        if time.monotonic() > until:
            raise RuntimeError("the usual way has come to no end")
        time.sleep(0.05)
    printed = lab.here(path).read_text()
    times = re.findall(r"^\d{10}\.\d{9}$", printed, re.MULTILINE)
    return float(times[-1]) - float(times[0]), len(_RETRY.findall(printed))
