"""Why a batch ended whose worker did not say so: the scheduler's own evidence, in words. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from runners.config.units import format_duration, format_mb
from runners.slurm.listings import AccountedJob, QueuedJob
from runners.slurm.states import JOB_STATES, Phase, canceller

PRINTED = 4096
"""Bytes of the end of a job's own output that are looked at."""

_LONGEST = 300
"""Letters of other programs' words in a sentence."""

_KILLED = re.compile(r"error: \*\*\* JOB \d+ ON \S+ CANCELLED AT \S+(?: DUE TO (.+?))? \*\*\*")
_DUE_TO = {
    "TIME LIMIT": "TIMEOUT",
    "NODE FAIL": "NODE_FAIL",
    "PREEMPTION": "PREEMPTED",
    "DEADLINE": "DEADLINE",
}
"""slurmstepd's words for why it ends a job, and the word of the state that follows."""

_TOO_LARGE = re.compile(r"\.batch exceeded memory limit \((\d+) > (\d+)\)")
"""Where SLURM watches memory itself, the state of the job says nothing of it. Bytes."""

_OURS = re.compile(r"^Runyard: (.+)$", re.MULTILINE)
"""What the submission script says when it can't start the worker."""


class Ending(NamedTuple):
    """How a job ended."""

    state: str
    """SLURM's word; empty where nothing tells."""
    why: str
    """As a part of a sentence; empty where the job ended well, and its worker has said why it left."""


def ending(
    queued: QueuedJob | None, accounted: Sequence[AccountedJob], printed: bytes, *, begun: bool
) -> Ending:
    """How the job of a batch ended, by all that is known of it.

    Args:
        queued: as squeue showed it last, if it did.
        accounted: as sacct shows it and its steps; empty where there is no accounting.
        printed: the end of what the job itself printed.
        begun: its worker had begun.
    """
    text = printed.decode("utf-8", "replace")
    job = next((row for row in accounted if row.id.step is None), None)
    state = _state(queued, job, text)
    match state:
        case "CANCELLED":
            return Ending(state, "cancelled from outside" + _by(queued, job))
        case "TIMEOUT":
            return Ending(state, f"time limit{_limit(queued, job)} of the job reached")
        case "OUT_OF_MEMORY":
            return Ending(state, _memory(queued, accounted))
        case "NODE_FAIL":
            return Ending(state, "node failure" + _where(queued, job))
        case "BOOT_FAIL":
            return Ending(state, "its nodes did not start" + _where(queued, job))
        case "PREEMPTED":
            return Ending(state, "preempted by another job")
        case "DEADLINE":
            return Ending(state, "its deadline has passed")
    if too_large := _TOO_LARGE.search(text):
        reached, asked = (int(size) / 2**20 for size in too_large.groups())
        return Ending(state, _out_of_memory(asked, reached))
    if state == "COMPLETED" and begun:
        return Ending(state, "")
    if not begun and (ours := _OURS.findall(text)):
        return Ending(state, _shortened(ours[-1].rstrip(". ")))
    return Ending(state, _unexplained(state, queued, job, text, begun=begun))


def ran_s(queued: QueuedJob | None, accounted: Sequence[AccountedJob]) -> float | None:
    """For how long the job of a batch had run when it ended, in seconds; None where nothing tells.

    Args:
        queued: as squeue showed it last, if it did. What it showed before the end is less than that.
        accounted: as sacct shows it and its steps; empty where there is no accounting.
    """
    for row in (queued, next((row for row in accounted if row.id.step is None), None)):
        over = row is not None and JOB_STATES.get(row.state or "") is Phase.ENDED
        if row is not None and over and row.elapsed_s is not None:
            return row.elapsed_s
    return None


def _state(queued: QueuedJob | None, job: AccountedJob | None, text: str) -> str:
    """The word for its end: squeue's, else sacct's, else what slurmstepd left in the output."""
    for row in (queued, job):
        if row is not None and row.state is not None and JOB_STATES[row.state] is Phase.ENDED:
            return row.state
    if not (killed := _KILLED.findall(text)):
        return ""
    due = killed[-1]
    # An end that leads to another start, or one that we do not know, explains nothing.
    return next((state for words, state in _DUE_TO.items() if words in due), "" if due else "CANCELLED")


def _unexplained(
    state: str, queued: QueuedJob | None, job: AccountedJob | None, text: str, *, begun: bool
) -> str:
    """What can be said where the state alone explains nothing."""
    before = "" if begun else " before its worker had begun"
    if job is not None and job.signal:
        how = f"its job was killed by signal {job.signal}{before}"
    elif job is not None and job.exit_code:
        how = f"its job ended with exit code {job.exit_code}{before}"
    elif state:
        reason = queued.reason if queued is not None else "None"
        how = f"its job is {state}" + ("" if reason == "None" else f" ({reason})")
        how += "" if begun else ", and its worker had not begun"
    else:
        how = f"its job has left the queue{before}, and SLURM does not say why"
    lines = [line for line in text.splitlines() if line.strip()]
    said = f"; it printed at last: {_shortened(lines[-1])}" if lines else ""
    return f"{how}{said}"


def _memory(queued: QueuedJob | None, accounted: Sequence[AccountedJob]) -> str:
    asked = next((row.asked_mb for row in accounted if row.asked_mb), queued.memory_mb if queued else None)
    reached = max((row.reached_mb for row in accounted if row.reached_mb), default=None)
    return _out_of_memory(asked, reached)


def _out_of_memory(asked_mb: float | None, reached_mb: float | None) -> str:
    known = []
    if asked_mb:
        known.append(f"asked {format_mb(round(asked_mb))}")
    if reached_mb:
        known.append(f"reached {format_mb(round(reached_mb))}")
    return "out of memory" + (": " + ", ".join(known) if known else "")


def _limit(queued: QueuedJob | None, job: AccountedJob | None) -> str:
    for row in (queued, job):
        if row is not None and row.limit_s is not None and not math.isinf(row.limit_s):
            return f" of {format_duration(row.limit_s)}"
    return ""


def _by(queued: QueuedJob | None, job: AccountedJob | None) -> str:
    """Who cancelled it. Of names only root's and the owner's are known without another question."""
    who = None if job is None else canceller(job.said)
    if who is None:
        return ""
    if queued is not None and queued.uid == who:
        return f" by {queued.user}"
    return f" by {'root' if who == 0 else f'uid {who}'}"


def _where(queued: QueuedJob | None, job: AccountedJob | None) -> str:
    hosts = next((row.hosts for row in (queued, job) if row is not None and row.hosts), "")
    return f" ({hosts})" if hosts else ""


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
