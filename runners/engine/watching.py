"""Watching live batches: one poll for all that a runner has, and what it brings goes into the store."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from runners.base import BaseRunner
from runners.batches import BatchRef, Cursor, Life, Report, RunnerError, Watched
from runners.engine.storing import Store
from runners.store.facts import apply_events
from runners.store.rows import BatchRow
from runners.store.verdicts import bury_batch, doubt_batch, end_batch, settle
from runners.store.writer import Change

log = logging.getLogger(__name__)

_QUICK_S, _QUIET_S = 0.2, 1.0
"""Between two looks: while events keep coming, and when it has been quiet for a while."""

_UNREACHABLE_S = 60.0
"""The longest pause after a look that failed."""

_SILENCE_S = 90.0
"""A worker that can't be seen and has not been heard of for so long: three times its slowest heartbeat."""


@dataclass(slots=True)
class _Live:
    """A batch that is being watched."""

    run: str
    watched: Watched
    heard: float = field(default_factory=time.monotonic)
    doubted: bool = False
    look_at: float = 0.0
    """When to look again, where what it told could not be taken in."""
    pause_s: float = _QUIET_S


class Watch:
    """Watches the live batches of one runner, of all runs."""

    def __init__(self, store: Store, runner: BaseRunner, ended: Callable[[Collection[str]], None]) -> None:
        """*ended* is called with the ids of runs of which a batch has ended."""
        self.runner = runner
        self._store = store
        self._ended = ended
        self._live: dict[str, _Live] = {}
        self._more = asyncio.Event()

    def __len__(self) -> int:
        return len(self._live)

    def add(self, batch: BatchRow) -> None:
        """Watch *batch* from now on, if it is not being watched."""
        if batch.token not in self._live:
            ref = BatchRef(batch.token, batch.folder, batch.native_id)
            self._live[batch.token] = _Live(
                batch.run, Watched(ref, Cursor(batch.restart, batch.offset, batch.part))
            )
            self._more.set()

    async def run(self) -> None:
        """Watch for ever, until cancelled."""
        pause = _QUICK_S
        while True:
            if not self._live:
                self._more.clear()
                await self._more.wait()
            try:
                moved, more = await self._look()
                pause = _QUICK_S if moved else min(_QUIET_S, pause * 1.25)
                if more:
                    continue
            except RunnerError as error:
                log.warning("%s Trying again in %.0f s.", error, pause)
                pause = min(_UNREACHABLE_S, pause * 2)
            except Exception:
                log.exception("A look at the batches failed; trying again in %.0f s.", pause)
                pause = min(_UNREACHABLE_S, pause * 2)
            self._more.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._more.wait()
                pause = _QUICK_S
            except TimeoutError:
                pass

    async def _look(self) -> tuple[bool, bool]:
        """Look once; whether anything was new, and whether there is more to read at once."""
        now = time.monotonic()
        looked_at = [live.watched for live in self._live.values() if live.look_at <= now]
        reports = await self.runner.poll(looked_at)
        told = [report for report in reports if self._tells(report)]
        if told:
            try:
                self._taken(told, await self._store.change(lambda change, now: _take_in(change, now, told)))
            except Exception:
                # One by one, so that a report that can't be taken in costs its own run only.
                for report in told:
                    await self._take_in_alone(report)
        return bool(told), any(report.more for report in reports)

    async def _take_in_alone(self, report: Report) -> None:
        live = self._live[report.token]
        try:
            ended = await self._store.change(lambda change, now: _take_in(change, now, [report]))
            self._taken([report], ended)
        except Exception as error:
            log.exception("What the batch %s tells can't be taken in.", report.token)
            live.pause_s = min(_UNREACHABLE_S, live.pause_s * 2)
            live.look_at = time.monotonic() + live.pause_s
            reason = (
                f"What its workers tell can't be taken in ({type(error).__name__}); engine.log tells more."
            )
            key, values = {"id": live.run}, {"reason": reason}
            await self._store.change(lambda change, _: change.update("runs", key, values))

    def _taken(self, reports: Sequence[Report], ended: Collection[str]) -> None:
        for report in reports:
            live = self._live[report.token]
            live.watched = Watched(live.watched.batch, report.cursor)
            live.pause_s = _QUIET_S
        if runs := {self._live.pop(token).run for token in ended}:
            self._ended(runs)

    def _tells(self, report: Report) -> bool:
        live = self._live[report.token]
        if report.events or report.life is Life.ALIVE:
            live.heard = time.monotonic()
            live.doubted = False
        if report.events or report.life is Life.GONE or report.cursor != live.watched.cursor:
            return True
        if report.life is Life.UNTOLD and not live.doubted:
            live.doubted = time.monotonic() - live.heard > _SILENCE_S
            return live.doubted
        return False


def _take_in(change: Change, now: float, reports: Sequence[Report]) -> set[str]:
    """Apply what the looks brought; returns the tokens of the batches that have ended."""
    ended: set[str] = set()
    runs: set[str] = set()
    for report in reports:
        batch = change.batch(report.token)
        if batch.state.final:
            ended.add(report.token)
            continue
        runs.add(batch.run)
        if apply_events(change, batch, report, now=now):
            end_batch(change, batch, now=now)
            ended.add(report.token)
        elif report.life is Life.GONE:
            bury_batch(change, batch, now=now, why=report.why)
            ended.add(report.token)
        elif report.life is Life.UNTOLD and not report.events:
            doubt_batch(change, batch, f"its worker runs on {batch.host}, which can't be seen from here")
    for run in runs:
        settle(change, run, now=now)
    return ended
