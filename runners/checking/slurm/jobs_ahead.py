"""Whether the jobs in the queue are why a job is not foreseen to start. Pure.

What `sbatch --test-only` tells is when jobs that run have ended, and then as much later as those that wait
may take: where one of them has no time limit, that is in hundreds of years (tried with 22.05).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runners.checking.slurm.hostlists import hosts_of
from runners.slurm.notation import parse_clock, parse_count

if TYPE_CHECKING:
    from runners.checking.slurm.facts import Facts

# No text of people's own is among the cells; the reason, which sites may add words to, is the last.
SHOW_JOBS = (
    *("squeue", "--all", "--local", "--noheader", "--states=PENDING,RUNNING,SUSPENDED"),
    "--format=%T|%l|%L|%C|%P|%r",
)

_YEAR_S = 365 * 86_400.0
"""What squeue shows of a job that runs without a limit; of longer ones it shows INVALID."""


@dataclass(frozen=True, slots=True)
class JobAhead:
    """A job in the queue."""

    waits: bool
    endless: bool
    """It has no time limit, or one of a year or more."""
    left_s: float
    """How long it may take from now on, or from its start; infinity where nobody knows."""
    cpus: int
    partitions: tuple[str, ...]
    row: str
    """As it was answered."""


def read_jobs(text: str) -> tuple[JobAhead, ...]:
    """The jobs that run or may start; those that are held back are in nobody's way."""
    found = []
    for line in text.splitlines():
        cells = line.strip().split("|", 5)
        if len(cells) < 6 or cells[5].startswith("JobHeld"):
            continue
        state, limit, left, cpus, partitions, _ = cells
        limit_s, waits = _seconds(limit), state == "PENDING"
        names = tuple(filter(None, partitions.split(",")))
        left_s = limit_s if waits else _seconds(left)
        if limit_s is not None and left_s is not None:
            endless = limit_s >= _YEAR_S
            found.append(JobAhead(waits, endless, left_s, parse_count(cpus) or 1, names, line.strip()))
    return tuple(found)


def in_the_way(facts: Facts, partitions: Sequence[str], enough_s: float) -> list[JobAhead]:
    """The jobs on the nodes of *partitions*, where they may take as long as *enough_s*; else none."""
    groups = facts.groups_in(partitions) or []
    hosts = {host for one in groups for host in hosts_of(one.hostlist)}
    sharing = {*partitions}
    for group in facts.groups or ():
        if group.partition not in sharing and not hosts.isdisjoint(hosts_of(group.hostlist)):
            sharing.add(group.partition)
    ahead = [one for one in facts.jobs or () if sharing.intersection(one.partitions)]
    cpus = sum(one.cpus * one.count for one in groups) or math.inf
    running_s = max((one.left_s for one in ahead if not one.waits), default=0.0)
    waiting = [one for one in ahead if one.waits]
    if any(math.isinf(one.left_s) for one in waiting):
        return ahead
    waiting_s = sum(one.left_s * one.cpus for one in waiting) / cpus
    return ahead if running_s + waiting_s >= enough_s else []


def _seconds(text: str) -> float | None:
    return math.inf if text.strip() == "INVALID" else parse_clock(text)
