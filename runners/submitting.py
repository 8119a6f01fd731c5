"""One step from its items to its results, without store or engine: what `submit` and `multisubmit` do."""

import asyncio
import json
import os
import posixpath
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runners.batches import (
    REPORT_LOST,
    BatchRef,
    BatchSpec,
    Cursor,
    Launched,
    Life,
    Outcome,
    Pace,
    Report,
    RunnerError,
    Watched,
)
from runners.config.errors import ConfigError
from runners.events import is_last_word
from runners.layout import batch_token, slug
from runners.outcomes import Outcomes
from runners.plan import Plan
from runners.tasks import Numbered, StepContext, batch_spec
from runners.workflow import Item, Step, TaskType

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
"""Between two tries to launch batches that could not be launched."""

_LARGEST_RESULT = 16 << 20
"""Bytes of a result; the worker refuses a larger one."""


class _Runner(Protocol):
    """The smaller verbs that are needed here; see :class:`runners.base.BaseRunner`."""

    @property
    def pace(self) -> Pace: ...
    def plan(self, step: Step, tasks: int) -> Plan: ...
    async def prepare(self, batches: Sequence[BatchSpec]) -> None: ...
    async def launch(self, batches: Sequence[BatchRef]) -> Sequence[Launched]: ...
    async def poll(self, batches: Sequence[Watched]) -> Sequence[Report]: ...
    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]: ...


@dataclass(slots=True)
class _Live:
    """A batch that has been started."""

    spec: BatchSpec
    number: int
    watched: Watched
    left: Sequence[int] = ()
    """Tasks for which its job had no time left."""


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
        self.outcomes = Outcomes()
        self._runner = runner
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
        self._waiting: dict[str, tuple[int, BatchSpec]] = {}
        """Batches that are to be launched, with their numbers."""
        self._live: dict[str, _Live] = {}
        self._launch_at = 0.0
        self._pause_s = _FIRST_PAUSE_S

    async def run(self) -> None:
        """To the end of all tasks.

        Raises:
            ConfigError, TemplateError: the step can't be planned or rendered; nothing was started.
            RunnerError: its files can't be put in place, or the resource can't be reached to launch it.
        """
        if not self._tasks:
            return
        plan = self._runner.plan(self._context.step, len(self._tasks))
        # Derived from the folder: the same call again finds what was launched before.
        parts = [(batch.number, self._context.folder, batch.indices, batch.slots) for batch in plan.batches]
        await self._prepare(parts)
        await self._launch()
        pause = self._runner.pace.quick_s
        while self._waiting or self._live or self.outcomes.wanted:
            moved, more = await self._look()
            if self._waiting and (moved or time.monotonic() >= self._launch_at):
                await self._try_launch()
            pace = self._runner.pace
            pause = pace.quick_s if moved else min(pace.quiet_s, pause * 1.5)
            if not more and (self._waiting or self._live or self.outcomes.wanted):
                await asyncio.sleep(pause)

    async def _prepare(self, parts: Sequence[tuple[int, str, Sequence[int], int]]) -> None:
        """Put batches in place: for each its number, what its token is derived from, its tasks and slots."""

        def specs() -> list[tuple[int, BatchSpec]]:
            made = []
            for number, salt, indices, slots in parts:
                token = batch_token(self._context.run, number, salt)
                tasks = [self._tasks[index] for index in indices]
                spec = batch_spec(self._context, tasks, token=token, number=number, slots=slots)
                made.append((number, spec))
            return made

        made = await asyncio.to_thread(specs)
        await self._runner.prepare([spec for _, spec in made])
        self._waiting |= {spec.token: (number, spec) for number, spec in made}

    async def _launch(self) -> None:
        """Launch what waits; the rest goes on waiting where the resource takes no more.

        Raises:
            RunnerError: the resource can't be reached.
        """
        for answer in await self._runner.launch([spec.ref for _, spec in self._waiting.values()]):
            if answer.outcome in (Outcome.UNKNOWN, Outcome.HELD):
                continue
            number, spec = self._waiting.pop(answer.token)
            if answer.outcome is Outcome.REFUSED:
                self.outcomes.fail((task.index for task in spec.tasks), f"not started: {answer.reason}")
            else:
                ref = BatchRef(spec.token, spec.folder, answer.native_id)
                self._live[spec.token] = _Live(spec, number, Watched(ref, Cursor()))
        self._launch_at = time.monotonic() + self._pause_s

    async def _try_launch(self) -> None:
        before = len(self._waiting)
        try:
            await self._launch()
        except RunnerError:
            self._launch_at = time.monotonic() + self._pause_s
        went = len(self._waiting) < before
        self._pause_s = _FIRST_PAUSE_S if went else min(_LONGEST_PAUSE_S, self._pause_s * 2)

    async def _look(self) -> tuple[bool, bool]:
        """Look once; whether anything was new, and whether there is more to read at once."""
        if not self._live and not self.outcomes.wanted:
            return False, False
        try:
            reports = await self._runner.poll([live.watched for live in self._live.values()])
            for report in reports:
                await self._take_in(report)
            await self._fetch()
        except RunnerError:
            # Not to be reached says nothing about the batches.
            return False, False
        return any(report.events for report in reports), any(report.more for report in reports)

    async def _take_in(self, report: Report) -> None:
        live = self._live[report.token]
        live.watched = Watched(live.watched.batch, report.cursor)
        live.left = [*live.left, *self.outcomes.take_in(report.events)]
        bye = any(map(is_last_word, report.events))
        if not bye and report.life is not Life.GONE:
            return
        del self._live[report.token]
        if live.left:
            await self._go_on(live)
        rest = {task.index for task in live.spec.tasks}.difference(live.left)
        if bye:
            self.outcomes.fail(rest, REPORT_LOST)
        else:
            self.outcomes.bury(rest, report.why)

    async def _go_on(self, live: _Live) -> None:
        """The tasks that a job had no time for go into another one, if another one would help."""
        if not any(task.index in self.outcomes for task in live.spec.tasks):
            reason = "not started: the time limit of a job is too short for a single task"
            self.outcomes.fail(live.left, reason)
            return
        slots = min(live.spec.slots, len(live.left))
        try:
            # Derived from the batch alone: whoever takes up the work again comes to the same.
            await self._prepare([(live.number, live.spec.token, live.left, slots)])
        except (RunnerError, ConfigError) as error:
            self.outcomes.fail(live.left, f"not started: {error}")
        self._launch_at = 0.0

    async def _fetch(self) -> None:
        """The results that lie in files, all in one go."""
        wanted = dict(self.outcomes.wanted)
        if not wanted:
            return
        files = await self._runner.fetch(list(wanted.values()), _LARGEST_RESULT)
        for index, data in zip(wanted, files, strict=True):
            if data is None:
                self.outcomes.lost(index, "its file is not there, or too large")
                continue
            try:
                result: Any = await asyncio.to_thread(json.loads, data)
            except (ValueError, RecursionError) as error:
                self.outcomes.lost(index, str(error))
            else:
                self.outcomes.found(index, result)
