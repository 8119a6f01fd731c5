"""How fast a run goes and when it will be done, from its row and what its slots do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runners.config.units import format_about
from runners.states import State
from runners.store.rows import Counts, RunRow


@dataclass(frozen=True, slots=True)
class Load:
    """What a run's time left is reckoned from."""

    mean_s: float | None
    """The mean time of its tasks that ended, done or failed; None where none has."""
    slots: int
    """Those of its live batches."""
    since: tuple[float, ...]
    """When each of the tasks in them started, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A run's speed. What is not known is None; nothing is invented."""

    elapsed_s: float | None
    """Since its first task started; of a run that has ended, until then."""
    per_s: float | None
    """Tasks that have ended, per second."""
    left_s: float | None
    """Until the last task has ended, if the tasks to come are like those that ended."""


def pace_of(run: RunRow, now: float, load: Load | None = None) -> Pace:
    """The pace of *run*, under its *load*, at the moment *now* (seconds since the epoch)."""
    if run.started is None:
        return Pace(None, None, None)
    elapsed = max(0.0, (run.ended if run.ended is not None else now) - run.started)
    ended = run.counts.done + run.counts.failed
    if not ended or elapsed <= 0:
        return Pace(elapsed, None, None)
    per_s = ended / elapsed
    if run.state is not State.RUNNING or run.cancelling or load is None or load.mean_s is None:
        return Pace(elapsed, per_s, None)
    running = [now - since for since in load.since]
    return Pace(elapsed, per_s, left_s(load.mean_s, run.counts.pending, running, load.slots))


def left_s(mean_s: float, pending: int, running_s: Sequence[float], slots: int) -> float | None:
    """Seconds until *pending* tasks and those that have run for *running_s* so far have ended in *slots*.

    Each is taken to need *mean_s*. It does not grow while nothing ends, as a reckoning from the rate so far
    would. None where it can't be told: there is no slot, or all that is left has taken longer already.
    """
    if slots < 1:
        return None
    work = pending * mean_s + sum(max(0.0, mean_s - elapsed) for elapsed in running_s)
    return work / slots if work > 0 else None


def rate_words(per_s: float) -> str:
    """A rate for a screen, in the unit that gives a number worth reading: `4.2/s`, `12/min`, `3/h`."""
    for factor, unit in ((1, "s"), (60, "min"), (3600, "h")):
        rate = per_s * factor
        if rate >= 1:
            return f"{rate:.1f}/{unit}" if rate < 10 else f"{rate:,.0f}/{unit}"
    return "< 1/h"


def age_words(seconds: float) -> str:
    """How long ago something was, in minutes at the finest: seconds would have a still screen drawn anew."""
    return "just now" if seconds < 60 else f"{format_about(seconds)} ago"


def worked(counts: Counts) -> Counts:
    """The counts as a bar shows them: tasks that were cancelled are no progress."""
    return replace(counts, cancelled=0, pending=counts.pending + counts.cancelled)
