"""How long a job may take, from what its tasks may take. Pure."""

from __future__ import annotations

LONGEST_S = 2**31 - 60
"""No job is given more. SLURM counts such times in seconds of 32 bits and rounds up to minutes: of more it
makes another limit, such as 18 hours of 49711 days (tried with 22.05)."""

_SPARE_S = 300
"""Beyond what its tasks may take: for its start, and for the warning before its end."""


def job_time_s(tasks: int, slots: int, limit_s: int) -> int:
    """Seconds for a job of so many *tasks*, each of which may take *limit_s*, with *slots* at a time."""
    return tasks_in_turn(tasks, slots) * limit_s + _SPARE_S


def tasks_in_turn(tasks: int, slots: int) -> int:
    """How many tasks a slot runs one after the other at most."""
    return -(-tasks // slots)
