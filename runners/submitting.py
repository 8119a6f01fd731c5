"""One step from its items to its results, without store or engine: what `submit` and `multisubmit` do."""

import asyncio
import json
import os
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from runners.batches import (
    REPORT_LOST,
    WORKER_DIED,
    WORKER_DIED_BEFORE,
    BatchRef,
    BatchSpec,
    Cursor,
    Launched,
    Life,
    LogChunk,
    Outcome,
    Report,
    RunnerError,
    TaskFailedError,
    Watched,
)
from runners.events import Event
from runners.layout import batch_token, slug
from runners.plan import Plan
from runners.states import State
from runners.tasks import Numbered, StepContext, batch_spec
from runners.workflow import Item, Step, TaskType

_QUICK_S, _QUIET_S = 0.05, 1.0
"""Between two looks at the batches."""

_LARGEST_RESULT = 16 << 20
"""Bytes of a result; the worker refuses a larger one."""


class _Runner(Protocol):
    """The smaller verbs that are needed here; see :class:`runners.base.BaseRunner`."""

    def plan(self, step: Step, tasks: int) -> Plan: ...
    async def prepare(self, batches: Sequence[BatchSpec]) -> None: ...
    async def launch(self, batches: Sequence[BatchRef]) -> Sequence[Launched]: ...
    async def poll(self, batches: Sequence[Watched]) -> Sequence[Report]: ...
    async def read_log(self, path: str, offset: int, limit: int) -> LogChunk: ...


class Submission:
    """The batches of one step, and what became of their tasks so far."""

    def __init__(
        self,
        runner: _Runner,
        step: Step,
        items: Sequence[Item],
        folder: str,
        *,
        workdir: str | None,
        environment: Mapping[str, str] | None,
    ) -> None:
        self.results: dict[int, Any] = {}
        self.exceptions: dict[int, BaseException] = {}
        self._runner = runner
        self._started: set[int] = set()
        once = step.type is TaskType.NON_PARALLEL
        self._tasks = [Numbered(index, index, item) for index, item in enumerate([None] if once else items)]
        run = slug(posixpath.basename(folder.rstrip("/")))
        self._context = StepContext(
            run,
            step,
            folder,
            folder if workdir is None else workdir,
            dict(os.environ) if environment is None else environment,
            items,
        )

    async def run(self) -> None:
        """To the end of all tasks.

        Raises:
            ConfigError, TemplateError: the step can't be planned or rendered; nothing was started.
            RunnerError: its files can't be put in place; nothing was started.
        """
        if not self._tasks:
            return
        plan = self._runner.plan(self._context.step, len(self._tasks))
        batches = await asyncio.to_thread(self._specs, plan)
        await self._runner.prepare(batches)
        await self._watch(await self._launch(batches))

    def _specs(self, plan: Plan) -> list[BatchSpec]:
        return [
            batch_spec(
                self._context,
                [self._tasks[place] for place in batch.indices],
                # Derived from the folder: the same call again finds what was launched before.
                token=batch_token(self._context.run, batch.number, self._context.folder),
                number=batch.number,
                slots=batch.slots,
            )
            for batch in plan.batches
        ]

    async def _launch(self, batches: Sequence[BatchSpec]) -> dict[str, tuple[BatchSpec, Watched]]:
        live: dict[str, tuple[BatchSpec, Watched]] = {}
        waiting = {batch.token: batch for batch in batches}
        while waiting:
            for answer in await self._runner.launch([batch.ref for batch in waiting.values()]):
                if answer.outcome is Outcome.UNKNOWN:
                    continue
                batch = waiting.pop(answer.token)
                if answer.outcome is Outcome.REFUSED:
                    self._fail_rest(batch, f"not started: {answer.reason}")
                else:
                    ref = BatchRef(batch.token, batch.folder, answer.native_id)
                    live[batch.token] = (batch, Watched(ref, Cursor()))
            if waiting:
                await asyncio.sleep(_QUIET_S)
        return live

    async def _watch(self, live: dict[str, tuple[BatchSpec, Watched]]) -> None:
        pause = _QUICK_S
        while live:
            try:
                reports = await self._runner.poll([watched for _, watched in live.values()])
            except RunnerError:
                # Not to be reached says nothing about the batches.
                await asyncio.sleep(_QUIET_S)
                continue
            for report in reports:
                batch, watched = live[report.token]
                live[report.token] = (batch, Watched(watched.batch, report.cursor))
                bye = await self._take_in(batch, report.events)
                if bye or report.life is Life.GONE:
                    self._fail_rest(batch, REPORT_LOST if bye else WORKER_DIED)
                    del live[report.token]
            moved = any(report.events for report in reports)
            pause = _QUICK_S if moved else min(_QUIET_S, pause * 1.5)
            if live and not any(report.more for report in reports):
                await asyncio.sleep(pause)

    async def _take_in(self, batch: BatchSpec, events: Sequence[Event]) -> bool:
        """What the events tell; True when the worker says that it is through."""
        for event in events:
            if event.kind == "start":
                self._started.add(event.detail["i"])
            elif event.kind == "end":
                await self._end(event.detail)
            elif event.kind == "left":
                for first, last in event.detail["i"]:
                    for index in range(first, last + 1):
                        self._fail(index, f"not started: {event.detail['why']}")
        return any(event.kind == "bye" for event in events)

    async def _end(self, detail: Mapping[str, Any]) -> None:
        index = detail["i"]
        if detail["state"] != State.DONE:
            self._fail(index, detail["why"], exit_code=detail.get("exit"), signal=detail.get("signal"))
        elif "result_path" in detail:
            try:
                found = await self._runner.read_log(detail["result_path"], 0, _LARGEST_RESULT)
                self.results[index] = await asyncio.to_thread(json.loads, found.data)
            except (RunnerError, ValueError) as error:
                self._fail(index, f"its result can't be read: {error}")
        else:
            self.results[index] = detail.get("result")

    def _fail_rest(self, batch: BatchSpec, reason: str) -> None:
        for index in (task.index for task in batch.tasks):
            if index not in self.results:
                before = reason == WORKER_DIED and index not in self._started
                self._fail(index, WORKER_DIED_BEFORE if before else reason)

    def _fail(
        self, index: int, reason: str, *, exit_code: int | None = None, signal: str | None = None
    ) -> None:
        if index not in self.exceptions:
            self.exceptions[index] = TaskFailedError(reason, exit_code=exit_code, signal=signal)
