"""Watching the live batches of one place: one poll for all of them, of whichever run and resource."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Protocol

from runners.base import BaseRunner
from runners.batches import BatchRef, Cursor, Report, RunnerError, Watched
from runners.config.errors import ConfigError
from runners.engine.places import Places
from runners.engine.pool import Pool
from runners.engine.refusal import RefusalError
from runners.engine.storing import Store
from runners.engine.taking_in import Live, Taken, moves, take_in
from runners.store.rows import BatchRow, RunRow

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 60.0
"""The longest pause after a look that failed."""

_CHEAP_S = 1.0
"""A resource that likes to be looked at more often than this may be, whether or not anyone sees it."""

_SLOWER = 1.25
"""How many times as long as the last one a pause is, where nothing moves or nobody watches."""


class Listener(Protocol):
    """Who is told what the looks brought."""

    def moved(self, owner: str, runs: Collection[str]) -> None:
        """There may be something to do for *runs*, and room for *owner*."""

    def troubled(self, run: str, trouble: str) -> None:
        """*trouble* keeps what workers of *run* tell from being taken in; empty: nothing any more."""


class Watch:
    """Watches the live batches of one owner, of all runs and resources."""

    def __init__(
        self,
        owner: str,
        store: Store,
        pool: Pool,
        places: Places,
        listener: Listener,
        attended: Callable[[], bool],
    ) -> None:
        """*attended* tells whether a person is watching: only then is it worth looking often."""
        self._owner = owner
        self._store = store
        self._pool = pool
        self._places = places
        self._listener = listener
        self._attended = attended
        self._live: dict[str, Live] = {}
        self._runner: BaseRunner | None = None
        self._hurry = asyncio.Event()

    def __len__(self) -> int:
        return len(self._live)

    def add(self, run: RunRow, runner: BaseRunner, batch: BatchRow) -> None:
        """Watch *batch* of *run* from now on, if it is not being watched, through *runner*."""
        if batch.token in self._live:
            # The resource may have been edited since.
            self._live[batch.token].runner = runner
            return
        ref = BatchRef(batch.token, batch.folder, batch.native_id)
        watched = Watched(ref, Cursor(batch.restart, batch.offset, batch.part))
        self._live[batch.token] = Live(run.id, (run.resource, run.profile), runner, watched)
        self._hurry.set()

    def runner(self) -> BaseRunner | None:
        """The runner to look through; None where there is nothing to look at.

        Each sees the batches of the others too, and what it remembers of them is worth staying with it.
        """
        runners = self._runners()
        if self._runner not in runners:
            self._runner = next(iter(runners), None)
        return self._runner

    def goes_to(self, place: str) -> bool:
        """Whether any of it is looked at over the line to *place*."""
        return any(runner.place == place for runner in self._runners())

    def hurry(self) -> None:
        """Look again as soon as the resource likes it."""
        self._hurry.set()

    async def run(self) -> None:
        """Watch for ever, until cancelled."""
        pause = 0.0
        while True:
            while not self._live:
                await self._hurry.wait()
                self._hurry.clear()
            self._hurry.clear()
            began = time.monotonic()
            quick, quiet = self._pace()
            try:
                moved, more = await self._look()
            except Exception as error:
                pause = min(_LONGEST_PAUSE_S, max(quick, pause) * 2)
                await self._look_failed(error, pause)
            else:
                if more:
                    continue
                fresh = not pause or (moved and (quick < _CHEAP_S or self._attended()))
                pause = quick if fresh else min(quiet, pause * _SLOWER)
            if await self._is_hurried(began + pause):
                pause = 0.0
                await asyncio.sleep(began + quick - time.monotonic())

    def _pace(self) -> tuple[float, float]:
        """The shortest and the longest pause: no resource is looked at more often than it likes."""
        paces = [live.runner.pace for live in self._live.values()]
        return max(pace.quick_s for pace in paces), max(pace.quiet_s for pace in paces)

    async def _is_hurried(self, until: float) -> bool:
        """Wait until that time, or for someone to be in a hurry."""
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await self._hurry.wait()
        except TimeoutError:
            return False
        return True

    async def _look(self) -> tuple[bool, bool]:
        """Look once; whether anything has moved, and whether there is more to read at once."""
        now = time.monotonic()
        due = [live.watched for live in self._live.values() if live.look_at <= now]
        runner = self.runner()
        if not due or runner is None:
            return False, False
        reports = await runner.poll(due)
        await self._places.keep(runner.place, runner.line)
        told = [report for report in reports if self._live[report.token].tells(report)]
        if told:
            try:
                self._taken(told, await self._store.change(lambda change, now: take_in(change, now, told)))
            except Exception:
                # One by one, so that a report that can't be taken in costs its own run only.
                for report in told:
                    await self._take_in_alone(report)
        return any(moves(report) for report in told), any(report.more for report in reports)

    def _runners(self) -> list[BaseRunner]:
        """The runners of all batches, each once."""
        return list(dict.fromkeys(live.runner for live in self._live.values()))

    async def _take_in_alone(self, report: Report) -> None:
        live = self._live[report.token]
        try:
            taken = await self._store.change(lambda change, now: take_in(change, now, [report]))
        except Exception as error:
            log.exception("What the batch %s tells can't be taken in.", report.token)
            live.pause_s = min(_LONGEST_PAUSE_S, live.pause_s * 2)
            live.look_at = time.monotonic() + live.pause_s
            why = f"What its workers tell can't be taken in ({type(error).__name__}); engine.log tells more."
            self._listener.troubled(live.run, why)
        else:
            self._taken([report], taken)

    def _taken(self, reports: Collection[Report], taken: Taken) -> None:
        for report in reports:
            live = self._live[report.token]
            if live.look_at:
                self._listener.troubled(live.run, "")
            live.taken(report)
        for token in taken.ended:
            del self._live[token]
        if taken.runs:
            self._listener.moved(self._owner, taken.runs)

    async def _look_failed(self, error: Exception, pause: float) -> None:
        if isinstance(error, RunnerError):
            log.warning("%s Trying again in %.0f s.", error, pause)
        else:
            log.error("A look at %s failed; trying again in %.0f s.", self._owner, pause, exc_info=error)
        if (runner := self.runner()) is not None:
            await self._places.keep(runner.place, runner.line)
        await self._open_anew()

    async def _open_anew(self) -> None:
        """What is wrong may be the settings of the resource, or the line of this runner: try others."""
        for key in {live.key for live in self._live.values()}:
            try:
                now = await self._pool.runner(*key)
            except (ConfigError, RefusalError) as why:
                log.warning("%s", why)
                continue
            for live in self._live.values():
                if live.key == key:
                    live.runner = now
        runners = self._runners()
        if self._runner in runners:
            self._runner = runners[(runners.index(self._runner) + 1) % len(runners)]
