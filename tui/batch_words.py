"""A batch in words: what its scheduler calls it, where and how long it runs, and why it does not.

Imports no textual: the command line prints them too. What comes from a cluster is untrusted, and made
harmless only by whoever shows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from runners.config.units import format_duration, format_time
from runners.slurm.reasons import reason_words
from runners.states import State
from runners.store.rows import BatchRow
from tui.signs import Sign, sign

_PROCESS = re.compile(r"([0-9]+)\.[0-9]+")
"""A local batch's name: the worker's process id, and when it was started, which tells it from a later one."""

_OTHER_CLUSTER = re.compile(r"([0-9]+);(.+)", re.DOTALL)
"""A SLURM job's name where sbatch told its cluster as well."""

_STATES: Final[Mapping[str, str]] = {
    "CONFIGURING": "its nodes are being made ready",
    "COMPLETING": "its nodes are being cleaned up",
    "STAGE_OUT": "its files are being brought back",
    "SUSPENDED": "suspended: its nodes are lent to others",
    "STOPPED": "stopped by a signal",
    "REQUEUED": "put back into the queue",
    "REQUEUE_HOLD": "put back into the queue, and held",
    "SPECIAL_EXIT": "put back into the queue, and held",
    "RESV_DEL_HOLD": "held: its reservation was deleted",
    "PREEMPTED": "had to make room for others",
    "NODE_FAIL": "a node of it failed",
    "BOOT_FAIL": "a node of it could not be started",
    "DEADLINE": "its deadline had passed",
    "TIMEOUT": "its time limit was reached",
    "OUT_OF_MEMORY": "out of memory",
    "REVOKED": "another cluster of the federation has it",
}
"""SLURM's words for states that tell more than the batch's own state does."""


def batch_sign(batch: BatchRow) -> Sign:
    """The sign of *batch*: that of its state, or that it was put back into the queue after it had begun."""
    again = batch.state is State.PENDING and batch.started is not None
    return sign("requeued" if again else batch.state)


def id_words(batch: BatchRow) -> str:
    """What its resource calls *batch*: `pid 4242`, `17`, `17 on alps`; empty before its launch."""
    return _OTHER_CLUSTER.sub(r"\1 on \2", _PROCESS.sub(r"pid \1", batch.native_id))


def why_words(batch: BatchRow) -> str:
    """Why *batch* is as it is, as a part of a sentence; empty where there is nothing to say."""
    if batch.reason or batch.state.final:
        return batch.reason
    told = _STATES.get(batch.scheduler_state, "")
    running = batch.state is State.RUNNING
    reason = "" if running else reason_words(batch.scheduler_reason, batch.partition)
    return ": ".join(part for part in (told, reason) if part)


def scheduler_words(batch: BatchRow) -> str:
    """What the scheduler of *batch* says itself: `PENDING (Priority)`; empty where there is none."""
    if batch.scheduler_state in ("", "alive", "gone"):
        return ""
    reason = batch.scheduler_reason
    return f"{batch.scheduler_state} ({reason})" if reason_words(reason) else batch.scheduler_state


def host_words(batch: BatchRow) -> str:
    """The nodes that *batch* has, or had: SLURM's list of them, or the one that its worker named."""
    return batch.hosts or batch.host


def elapsed_words(batch: BatchRow, now: float) -> str:
    """For how long *batch* has run at the moment *now*, or had run when it ended; empty before it began."""
    began = batch.started if batch.job_since is None else batch.job_since
    if began is None or batch_sign(batch).word == "requeued":
        return ""
    return format_time((now if batch.ended is None else batch.ended) - began, going=batch.ended is None)


def limit_words(batch: BatchRow) -> str:
    """The time limit of *batch*; empty where it is not known."""
    if batch.limit_s is None:
        return ""
    return "none" if batch.limit_s < 0 else format_duration(batch.limit_s)
