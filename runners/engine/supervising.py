"""Supervising one run: whatever its rows say, the next thing is done, until it has ended.

There is no state but the rows: an engine that was killed is followed by one that goes on from them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from runners.base import BaseRunner
from runners.batches import RunnerError
from runners.config.errors import ConfigError
from runners.engine.beginning import keep_step
from runners.engine.launches import launch
from runners.engine.places import Places
from runners.engine.pool import Pool
from runners.engine.refusal import RefusalError
from runners.engine.stopping import Stopper
from runners.engine.storing import Store
from runners.engine.watches import Watches
from runners.store.reader import OPEN
from runners.store.rows import BatchRow, RunRow, StepRow, TaskRow
from runners.store.verdicts import settle
from runners.store.workload import steps_to_plan
from runners.store.writer import Writer
from runners.template import TemplateError

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class _Rows:
    run: RunRow
    steps: Sequence[StepRow]
    batches: Sequence[BatchRow]
    cancelling: Sequence[TaskRow]
    """Tasks that are to be cancelled."""
    came_back: Sequence[int]
    """Steps of which a batch has given tasks back."""

    @property
    def live(self) -> list[BatchRow]:
        """Batches that have not ended."""
        return [batch for batch in self.batches if not batch.state.final]

    @property
    def to_plan(self) -> StepRow | None:
        """The step of which tasks wait for a batch, and may have one now."""
        for step in self.steps:
            if step.position in self.came_back or not (step.state.final or self.live):
                return step
        return None


class Supervisor:
    """Takes one run to its end."""

    def __init__(
        self, run: str, store: Store, pool: Pool, places: Places, watches: Watches, salt: str
    ) -> None:
        self._run = run
        self._store = store
        self._pool = pool
        self._places = places
        self._rests = places.rests
        self._watches = watches
        self._salt = salt
        self._stopper = Stopper(store)
        self._changed = asyncio.Event()
        self._place = self._owner = ""
        self._waits = self._cancels = False
        self._trouble = ""
        self._told: str | None = None
        """The reason that this engine has given for the run's state."""

    def look(self) -> None:
        """Something about the run has changed."""
        self._changed.set()

    def waits_for(self, name: str) -> bool:
        """Whether it waits for a place of this *name* to be reached, or an owner to have room or to stop."""
        return (self._waits or self._cancels) and name in (self._place, self._owner)

    def trouble(self, text: str) -> None:
        """What keeps the reports of its workers from being taken in, as a sentence; empty for nothing."""
        self._trouble = text
        self.look()

    async def supervise(self) -> None:
        """Until the run has ended. Trouble shows as the run's reason and is tried again, never raised."""
        pause = _FIRST_PAUSE_S
        while True:
            self._changed.clear()
            try:
                waits_for = await self._advance()
                if waits_for is None:
                    return
            except (RunnerError, ConfigError, RefusalError, TemplateError) as error:
                log.warning("Run %s: %s", self._run, error)
                # All that wait for a place say the same.
                waits_for = (isinstance(error, RunnerError) and self._rests.trouble(self._place)) or str(
                    error
                )
            except Exception as error:
                log.exception("Run %s can't go on.", self._run)
                waits_for = (
                    f"The engine has a fault of its own ({type(error).__name__}); engine.log tells more."
                )
            self._waits = bool(waits_for)
            await self._tell(waits_for or self._trouble)
            if not waits_for:
                pause = _FIRST_PAUSE_S
                await self._changed.wait()
                continue
            rest_s = self._rests.left_s(self._place)
            try:
                async with asyncio.timeout(rest_s or pause):
                    await self._changed.wait()
            except TimeoutError:
                if not rest_s:
                    pause = min(_LONGEST_PAUSE_S, pause * 2)

    async def _advance(self) -> str | None:
        """Do what there is to do now; None when the run has ended, else why some is to be tried again."""
        waits_for = ""
        tried: dict[str, str] = {}
        while True:
            rows = await self._store.read(self._load)
            if rows.run.state.final:
                return None
            runner = await self._pool.runner(rows.run.resource, rows.run.profile)
            self._place, self._owner = runner.place, runner.owner
            self._cancels = rows.run.cancelling or bool(rows.cancelling)
            # First of all: no trouble with one batch keeps another from being looked after.
            for batch in rows.live:
                if batch.native_id:
                    self._watches.add(rows.run, runner, batch)
            looker = self._watches.looked_through(runner)
            wanted = self._stopper.wanted(rows.run, rows.live, rows.cancelling, runner, looker)
            if wanted and not waits_for:
                waits_for = await self._reach(looker, self._stopper.tell(wanted))
            elif waiting := [batch for batch in rows.live if self._is_due(rows.run, batch, tried)]:
                if not self._rests.may_try(runner.place):
                    return self._rests.trouble(runner.place)
                tried |= {batch.token: "" for batch in waiting}
                tried |= await self._reach(runner, launch(self._store, runner, waiting))
                self._stopper.sought(waiting)
            elif await self._plan(runner, rows):
                continue
            elif rows.live:
                return waits_for or next((reason for reason in tried.values() if reason), "")
            elif await self._store.change(lambda change, now: settle(change, self._run, now=now)):
                return None
            else:
                return waits_for

    async def _reach(self, runner: BaseRunner, work: Awaitable[T]) -> T:
        """Do *work*, for which *runner* reaches for its resource, and keep whether it could."""
        try:
            return await work
        finally:
            await self._places.keep(runner.place, runner.line)

    async def _plan(self, runner: BaseRunner, rows: _Rows) -> bool:
        """Cut tasks that wait for a batch into batches; False when none do."""
        step = None if rows.run.cancelling else rows.to_plan
        number = len(rows.batches)
        return step is not None and await keep_step(self._store, runner, rows.run, step, number, self._salt)

    def _is_due(self, run: RunRow, batch: BatchRow, tried: dict[str, str]) -> bool:
        """Whether *batch* is to be launched, for the first time or to find out whether it was."""
        if batch.native_id or batch.token in tried:
            return False
        return not run.cancelling or batch.token in self._stopper.lost

    async def _tell(self, reason: str) -> None:
        if reason == self._told:
            return
        await self._store.change(
            lambda change, _: change.execute(
                f"UPDATE runs SET reason = ?, revision = ? WHERE id = ? AND reason != ? AND {OPEN}",
                (reason, change.revision, self._run, reason),
            )
        )
        self._told = reason

    def _load(self, writer: Writer) -> _Rows:
        with writer.snapshot():
            return _Rows(
                writer.run(self._run),
                writer.steps(self._run),
                writer.batches(self._run),
                writer.cancelling_tasks(self._run),
                steps_to_plan(writer, self._run),
            )
