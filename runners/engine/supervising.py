"""Supervising one run: whatever its rows say, the next thing is done, until it has ended.

There is no state but the rows: an engine that was killed is followed by one that goes on from them.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runners.base import BaseRunner
from runners.batches import BatchRef, Launched, Outcome, RunnerError
from runners.config.errors import ConfigError
from runners.engine.beginning import begin_step
from runners.engine.pool import Pool
from runners.engine.refusal import RefusalError
from runners.engine.storing import Store
from runners.requests import LaunchSpec
from runners.states import State
from runners.store.creating import TasksChangedError, add_batches
from runners.store.rows import BatchRow, RunRow, StepRow
from runners.store.verdicts import refuse_batch, settle, withdraw_batch
from runners.store.workload import dataset_of, spec_of, tasks_of
from runners.store.writer import Change, Writer
from runners.tasks import Numbered
from runners.template import TemplateError
from runners.workflow import Item

log = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


Watcher = Callable[[RunRow, BaseRunner, BatchRow], None]


@dataclass(frozen=True, slots=True)
class _Rows:
    run: RunRow
    steps: Sequence[StepRow]
    batches: Sequence[BatchRow]


class Supervisor:
    """Takes one run to its end."""

    def __init__(self, run: str, store: Store, pool: Pool, watch: Watcher, salt: str) -> None:
        """*watch* has a launched batch watched from then on."""
        self._run = run
        self._store = store
        self._pool = pool
        self._watch = watch
        self._salt = salt
        self._changed = asyncio.Event()
        self._told: set[str] = set()
        """Batches that were told to stop, in this engine's life: the next one may tell them again."""

    def look(self) -> None:
        """Something about the run has changed."""
        self._changed.set()

    async def supervise(self) -> None:
        """Until the run has ended. Trouble shows as the run's reason and is tried again, never raised."""
        pause = _FIRST_PAUSE_S
        trouble = ""
        while True:
            self._changed.clear()
            try:
                if await self._advance():
                    return
                if trouble:
                    trouble = ""
                    await self._tell("")
                pause = _FIRST_PAUSE_S
                await self._changed.wait()
                continue
            except (RunnerError, ConfigError, RefusalError, TemplateError) as error:
                log.warning("Run %s: %s", self._run, error)
                text = str(error)
            except Exception as error:
                log.exception("Run %s can't go on.", self._run)
                text = f"The engine has a fault of its own ({type(error).__name__}); engine.log tells more."
            if text != trouble:
                trouble = text
                await self._tell(text)
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                pause = min(_LONGEST_PAUSE_S, pause * 2)

    async def _advance(self) -> bool:
        """Do what there is to do now; True when the run has ended."""
        while True:
            rows = await self._store.read(self._load)
            if rows.run.state.final:
                return True
            runner = await self._pool.runner(rows.run.resource, rows.run.profile)
            live = [batch for batch in rows.batches if not batch.state.final]
            if rows.run.cancelling and (told := [batch for batch in live if batch.token not in self._told]):
                await self._stop(runner, told)
            elif waiting := [batch for batch in live if not batch.native_id]:
                await self._launch(runner, waiting)
            elif live:
                for batch in live:
                    self._watch(rows.run, runner, batch)
                return False
            elif not await self._begin_next(runner, rows):
                return await self._store.change(lambda change, now: settle(change, self._run, now=now))

    async def _begin_next(self, runner: BaseRunner, rows: _Rows) -> bool:
        """Cut the next step into batches; False when no step is waiting."""
        for step in rows.steps:
            if not step.state.final:
                break
        else:
            return False
        spec, tasks, dataset = await self._store.read(lambda writer: self._tasks(writer, step.position))
        if not tasks:
            return False
        begun = await begin_step(
            runner,
            self._run,
            spec,
            step.position,
            tasks,
            folder=rows.run.folder,
            dataset=dataset,
            first_number=len(rows.batches),
            salt=self._salt,
        )
        try:
            await self._store.change(
                lambda change, now: add_batches(change, self._run, begun.plan, begun.batches, now=now)
            )
        except TasksChangedError:
            log.info("Run %s: a task was cancelled meanwhile; planning again.", self._run)
        return True

    async def _launch(self, runner: BaseRunner, batches: Sequence[BatchRow]) -> None:
        """Start *batches*.

        Raises:
            RunnerError: of one of them nobody can tell whether it was started.
        """
        answers = await runner.launch([BatchRef(batch.token, batch.folder) for batch in batches])
        unknown = ""

        def keep(change: Change, now: float) -> None:
            for batch, answer in zip(batches, answers, strict=True):
                _keep_answer(change, batch, answer, now)
            settle(change, self._run, now=now)

        await self._store.change(keep)
        for answer in answers:
            if answer.outcome is Outcome.UNKNOWN:
                unknown = answer.reason
        if unknown:
            raise RunnerError(unknown)

    async def _stop(self, runner: BaseRunner, live: Sequence[BatchRow]) -> None:
        """Cancel the run's live batches; one that was never started ends here and now."""
        for batch in live:
            started = await runner.cancel(BatchRef(batch.token, batch.folder, batch.native_id))
            if started and not batch.native_id:
                # An engine that was killed had started it and never heard the answer.
                await self._launch(runner, [batch])
            elif not started:
                await self._withdraw(batch)
            self._told.add(batch.token)

    async def _withdraw(self, batch: BatchRow) -> None:
        await self._store.change(lambda change, now: withdraw_batch(change, batch, now=now))

    async def _tell(self, reason: str) -> None:
        await self._store.change(
            lambda change, _: change.update("runs", {"id": self._run}, {"reason": reason})
        )

    def _load(self, writer: Writer) -> _Rows:
        with writer.snapshot():
            return _Rows(writer.run(self._run), writer.steps(self._run), writer.batches(self._run))

    def _tasks(self, writer: Writer, position: int) -> tuple[LaunchSpec, list[Numbered], list[Item]]:
        spec = spec_of(writer, self._run)
        tasks = tasks_of(writer, self._run, spec, position, (State.PENDING,))
        return spec, tasks, dataset_of(writer, self._run)


def _keep_answer(change: Change, batch: BatchRow, answer: Launched, now: float) -> None:
    match answer.outcome:
        case Outcome.STARTED:
            seen = {"native_id": answer.native_id, "host": answer.host, "scheduler_state": "alive"}
            change.update("batches", {"token": batch.token}, seen)
            detail = {"native_id": answer.native_id, "host": answer.host}
            change.add_event(batch.run, "started", detail, time=now, batch=batch.token)
        case Outcome.REFUSED:
            refuse_batch(change, batch, answer.reason, now=now)
        case Outcome.UNKNOWN:
            change.update("batches", {"token": batch.token}, {"reason": answer.reason})
