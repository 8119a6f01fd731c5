"""Telling workers to stop: whole batches of a run that is cancelled, or single tasks."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from runners.base import BaseRunner
from runners.batches import BatchRef, RunnerError
from runners.engine.storing import Store
from runners.store.rows import BatchRow, RunRow, TaskRow
from runners.store.verdicts import settle, withdraw_batch
from runners.store.writer import Change

_AT_A_TIME = 4
"""As many as work on one SSH connection at a time."""


class Wanted(NamedTuple):
    """Who is to be told to stop."""

    batch: BatchRow
    ref: BatchRef
    runner: BaseRunner
    """Through which."""
    tasks: tuple[int, ...] | None
    """The indices of tasks of it; None: all of it."""


class Stopper:
    """Carries out the cancels of one run, each once in this engine's life: the next one may do it again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: set[tuple[BaseRunner, BatchRef, int | None]] = set()
        """Who was told of which batches, each with the index of a task or None for all of it."""
        self.lost: set[str] = set()
        """Batches that were started, under an id that nobody knows: launching them finds it."""

    def wanted(
        self,
        run: RunRow,
        live: Iterable[BatchRow],
        tasks: Collection[TaskRow],
        runner: BaseRunner,
        looker: BaseRunner,
    ) -> list[Wanted]:
        """What is still to be told.

        Args:
            run: where it is cancelled, all its batches are to stop.
            live: its batches.
            tasks: those of its tasks that are to be cancelled.
            runner: of the run, which knows what it has launched.
            looker: the one that batches are looked at through, and that sees to it that they stop.
        """
        found: list[Wanted] = []
        for batch in live:
            ref = BatchRef(batch.token, batch.folder, batch.native_id)
            through = looker if batch.native_id else runner
            indices = [task.index for task in tasks if task.batch == batch.token]
            # A batch of which no task is to go on is cancelled as one: its job need not even start.
            if run.cancelling or (indices and len(indices) == batch.counts.total - batch.counts.ended):
                if (through, ref, None) not in self._told and batch.token not in self.lost:
                    found.append(Wanted(batch, ref, through, None))
                continue
            if untold := tuple(index for index in indices if (through, ref, index) not in self._told):
                found.append(Wanted(batch, ref, through, untold))
        return found

    def sought(self, batches: Iterable[BatchRow]) -> None:
        """*batches* have been launched, so that their ids are known if they have any."""
        self.lost.difference_update(batch.token for batch in batches)

    async def tell(self, wanted: Sequence[Wanted]) -> str:
        """Tell them; a whole batch that was never started ends here and now.

        Returns why some could not be told, as a sentence; empty where all were.
        """
        # All together: where the line is down, waiting for it one by one would take minutes.
        turns = asyncio.Semaphore(_AT_A_TIME)
        async with asyncio.TaskGroup() as group:
            told = [group.create_task(self._tell(one, turns)) for one in wanted]
        return next((task.result() for task in told if task.result()), "")

    async def _tell(self, wanted: Wanted, turns: asyncio.Semaphore) -> str:
        batch, ref, runner, tasks = wanted
        try:
            async with turns:
                launched = await runner.cancel(ref, tasks)
        except RunnerError as error:
            return str(error)
        if tasks is not None:
            self._told.update((runner, ref, index) for index in tasks)
        elif not launched:
            await self._store.change(lambda change, now: _withdraw(change, batch, now))
        elif ref.native_id:
            self._told.add((runner, ref, None))
        else:
            self.lost.add(batch.token)
        return ""


def _withdraw(change: Change, batch: BatchRow, now: float) -> None:
    withdraw_batch(change, batch, now=now)
    settle(change, batch.run, now=now)
