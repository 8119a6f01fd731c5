"""The words that SLURM has for the state of a job, and what they mean here. Pure.

The words are those of `job_state_string` (SLURM 24.11): twelve states, of which a job has one, and thirteen
flags, which are shown instead of the state while they last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

_WORD = re.compile(r"([A-Z][A-Z_]*)(?: by \S+)?(\+?)", re.ASCII)

_CANCELLED_BY = re.compile(r"CANCELLED by (\d{1,10})", re.ASCII)


class Phase(StrEnum):
    """Where a job is in its life."""

    PENDING = "pending"
    """It waits, or will wait again: it may run (again) under the same id."""
    RUNNING = "running"
    """It holds nodes."""
    ENDED = "ended"
    """It will not run again, unless it is put back in the queue."""


JOB_STATES: Mapping[str, Phase] = {
    "PENDING": Phase.PENDING,
    "RUNNING": Phase.RUNNING,
    "SUSPENDED": Phase.RUNNING,
    "COMPLETED": Phase.ENDED,
    "CANCELLED": Phase.ENDED,
    "FAILED": Phase.ENDED,
    "TIMEOUT": Phase.ENDED,
    "NODE_FAIL": Phase.ENDED,
    "PREEMPTED": Phase.ENDED,
    "BOOT_FAIL": Phase.ENDED,
    "DEADLINE": Phase.ENDED,
    "OUT_OF_MEMORY": Phase.ENDED,
    # Flags.
    "COMPLETING": Phase.RUNNING,
    "CONFIGURING": Phase.RUNNING,
    "EXPEDITING": Phase.PENDING,
    "RESIZING": Phase.RUNNING,
    "REQUEUED": Phase.PENDING,
    "REQUEUE_FED": Phase.PENDING,
    "REQUEUE_HOLD": Phase.PENDING,
    "SPECIAL_EXIT": Phase.PENDING,
    "STOPPED": Phase.RUNNING,
    "REVOKED": Phase.ENDED,
    "RESV_DEL_HOLD": Phase.PENDING,
    "SIGNALING": Phase.RUNNING,
    "STAGE_OUT": Phase.RUNNING,
}
"""Every word, and the phase that it tells."""

COMES_BACK = frozenset({"PREEMPTED", "NODE_FAIL", "BOOT_FAIL"})
"""Ends after which SLURM itself puts a job with `--requeue` back in the queue, under the same id."""


def canceller(text: str) -> int | None:
    """The number of the user in `CANCELLED by 1000`, as sacct says it; None where none is told."""
    match = _CANCELLED_BY.fullmatch(text.strip())
    return int(match[1]) if match else None


def state_word(text: str) -> str | None:
    """The bare word in *text*: CANCELLED for `CANCELLED by 1000`, OUT_OF_MEMORY for a cut-off `OUT_OF_ME+`.

    None for a word that is not known: it tells nothing, and whoever asks keeps the last one.
    """
    match = _WORD.fullmatch(text.strip())
    if match is None:
        return None
    word, cut = match.groups()
    if word in JOB_STATES or not cut:
        return word if word in JOB_STATES else None
    longer = [known for known in JOB_STATES if known.startswith(word)]
    return longer[0] if len(longer) == 1 else None
