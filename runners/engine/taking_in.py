"""What looks at batches brought becomes rows, in one transaction for each look."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from runners.base import BaseRunner
from runners.batches import Job, Life, Report, Watched
from runners.engine.places import Key
from runners.store.facts import apply_events
from runners.store.rows import BatchRow
from runners.store.verdicts import bury_batch, doubt_batch, end_batch, settle
from runners.store.writer import Change

_SILENCE_S = 90.0
"""A worker that can't be seen and has not been heard of for so long: three times its slowest heartbeat."""

_PAUSE_S = 1.0
"""Before a report that could not be taken in is tried again, at first."""


@dataclass(slots=True)
class Live:
    """A batch that is being watched."""

    run: str
    key: Key
    runner: BaseRunner
    watched: Watched
    job: Job | None = None
    """What its scheduler showed at the last look that was taken in."""
    heard: float = field(default_factory=time.monotonic)
    doubted: bool = False
    look_at: float = 0.0
    """When to look again, where what it told could not be taken in."""
    pause_s: float = _PAUSE_S

    def tells(self, report: Report) -> bool:
        """Whether *report* tells anything that is to be taken in."""
        if report.events or report.life is Life.ALIVE:
            self.heard = time.monotonic()
            self.doubted = False
        if report.events or report.life is Life.GONE or report.cursor != self.watched.cursor:
            return True
        if report.requeued or (report.job is not None and _timeless(report.job) != _timeless(self.job)):
            return True
        if report.life is Life.UNTOLD and not self.doubted:
            self.doubted = time.monotonic() - self.heard > _SILENCE_S
            return self.doubted
        return False

    def taken(self, report: Report) -> None:
        """*report* has been taken in."""
        self.watched = Watched(self.watched.batch, report.cursor)
        self.job = report.job
        self.look_at = 0.0
        self.pause_s = _PAUSE_S


class Taken(NamedTuple):
    """What followed from reports."""

    ended: set[str]
    """Tokens of batches that have ended."""
    runs: set[str]
    """Runs for which there may be something to do: a batch has ended, or gives tasks back."""


def moves(report: Report) -> bool:
    """Whether *report* tells of anything but a heart that beats."""
    return report.life is Life.GONE or any(event.kind != "hb" for event in report.events)


def take_in(change: Change, now: float, reports: Sequence[Report]) -> Taken:
    """Keep what *reports* tell, part of one transaction."""
    taken = Taken(set(), set())
    runs: set[str] = set()
    for report in reports:
        batch = change.batch(report.token)
        if batch.state.final:
            taken.ended.add(batch.token)
            continue
        runs.add(batch.run)
        if _ends(change, batch, report, now):
            taken.ended.add(batch.token)
        if batch.token in taken.ended or any(event.kind == "left" for event in report.events):
            taken.runs.add(batch.run)
    for run in runs:
        settle(change, run, now=now)
    return taken


def _ends(change: Change, batch: BatchRow, report: Report, now: float) -> bool:
    """Keep what *report* tells of *batch*; whether that ends it."""
    if apply_events(change, batch, report, now=now):
        end_batch(change, batch, now=now)
    elif report.life is Life.GONE:
        bury_batch(change, batch, now=now, why=report.why)
    else:
        if report.life is Life.UNTOLD and not report.events:
            doubt_batch(change, batch, _doubt(batch))
        return False
    return True


def _doubt(batch: BatchRow) -> str:
    if batch.host:
        return f"its worker runs on {batch.host}, which can't be seen from here"
    return f"nobody can tell whether it goes on, and nothing has been heard of it for {_SILENCE_S:g} s"


def _timeless(job: Job | None) -> Job | None:
    """*job* without what goes on by itself."""
    return None if job is None else replace(job, elapsed_s=None)
