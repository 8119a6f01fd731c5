"""Requests: each becomes rows, or is refused with a sentence and leaves nothing behind."""

import contextlib
import itertools
import logging
import posixpath
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from runners.base import BaseRunner
from runners.batches import RunnerError
from runners.config.errors import ConfigError, faulty_fields, shown
from runners.engine.beginning import begin_step
from runners.engine.pool import Pool
from runners.engine.refusal import RefusalError
from runners.engine.storing import Store
from runners.engine.versions import older_than_asker
from runners.requests import (
    LONGEST_NAME,
    CancelRequest,
    LaunchRequest,
    LaunchSpec,
    RequestKind,
    RetryRequest,
    TaskNeeds,
)
from runners.states import RequestState, State
from runners.store.creating import NewRun, add_batches, add_run
from runners.store.database import StoreError
from runners.store.reader import UnknownRunError
from runners.store.rows import RequestRow, RunRow
from runners.store.verdicts import cancel_waiting, intend_cancel, intend_cancel_of_batch, settle
from runners.store.workload import dataset_of, spec_of, tasks_of
from runners.store.writer import Change, WithdrawnError, Writer
from runners.tasks import Numbered
from runners.template import TemplateError
from runners.workflow import Item, TaskType, placeholders

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)

_RETRY = re.compile(r"-retry(-[0-9]+)?$")


class Acceptor:
    """Carries out requests, one after the other. Each can be carried out again after a crash."""

    def __init__(self, salt: str, store: Store, pool: Pool) -> None:
        """*salt* keeps tokens of this state folder apart from those of others."""
        self._salt = salt
        self._store = store
        self._pool = pool

    async def carry_out(self, request: RequestRow) -> str | None:
        """Do what *request* asks for and answer it.

        Returns the run it is about, None where it is refused, or was taken back meanwhile.
        """
        try:
            try:
                return await self._carry_out(request)
            except (RefusalError, ConfigError, TemplateError, RunnerError, StoreError) as error:
                refusal = str(error)
            await self._answer(request, RequestState.REFUSED, refusal)
        except WithdrawnError:
            log.info("Request %d (%s) was taken back.", request.id, request.kind)
        except Exception:
            # A request that can't be carried out must not hold up those behind it.
            log.exception("Request %d (%s) can't be carried out.", request.id, request.kind)
            text = "The engine can't carry this out because of a fault of its own; engine.log tells more."
            with contextlib.suppress(WithdrawnError):
                await self._answer(request, RequestState.REFUSED, text)
        return None

    async def _carry_out(self, request: RequestRow) -> str:
        match request.kind:
            case RequestKind.LAUNCH:
                return await self._launch(request, _parsed(LaunchRequest, request))
            case RequestKind.RETRY:
                return await self._retry(request, _parsed(RetryRequest, request))
            case RequestKind.CANCEL:
                return await self._cancel(request, _parsed(CancelRequest, request))
            case kind:
                raise RefusalError(older_than_asker(f"requests of the kind {shown(kind)}"))

    async def _launch(self, request: RequestRow, asked: LaunchRequest) -> str:
        if await self._store.read(lambda writer: _has_run(writer, asked.run)):
            await self._answer(request, RequestState.DONE)
            return asked.run
        tasks: list[tuple[int, Numbered]] = []
        for position, step in enumerate(asked.spec.workflow.steps):
            once = step.type is TaskType.NON_PARALLEL
            if not once and not asked.items:
                raise RefusalError(f"There is nothing to run: step {step.name!r} has no items; give it some.")
            placeholders(step, sorted({name for item in asked.items for name in item.fields or ()}))
            items = [None] if once else asked.items
            first = len(tasks)
            tasks += ((position, Numbered(first + place, place, item)) for place, item in enumerate(items))
        runner = await self._pool.runner(asked.spec.resource, asked.spec.profile, to_start=True)
        dataset = asked.items if _takes_all(asked.spec) else []
        return await self._create(request, runner, asked.run, asked.spec, tasks, dataset)

    async def _retry(self, request: RequestRow, asked: RetryRequest) -> str:
        if await self._store.read(lambda writer: _has_run(writer, asked.run)):
            await self._answer(request, RequestState.DONE)
            return asked.run
        old = await self._store.read(lambda writer: writer.run(asked.of))
        if not old.state.final:
            raise RefusalError(
                f"Run {old.id} has not ended (it is {old.state}); wait for it or cancel it, then retry it."
            )
        spec, unfinished, dataset = await self._store.read(lambda writer: _to_retry(writer, old, asked.needs))
        if not unfinished:
            raise RefusalError(f"Run {old.id} has nothing to retry: all its tasks are done.")
        tasks = [
            (step, Numbered(index, task.place, task.item)) for index, (step, task) in enumerate(unfinished)
        ]
        runner = await self._pool.runner(spec.resource, spec.profile, to_start=True)
        for step, number in Counter(step for step, _ in tasks).items():
            # What is asked for this time may be more than there can be: that is told now, not in an hour.
            runner.plan(spec.workflow.steps[step], number)
        return await self._create(request, runner, asked.run, spec, tasks, dataset, retry_of=old.id)

    async def _create(
        self,
        request: RequestRow,
        runner: BaseRunner,
        run: str,
        spec: LaunchSpec,
        tasks: Sequence[tuple[int, Numbered]],
        dataset: Sequence[Item],
        *,
        retry_of: str | None = None,
    ) -> str:
        folder = posixpath.join(spec.folder or runner.jobs_folder, run)
        first = tasks[0][0]
        try:
            begun = await begin_step(
                runner,
                run,
                spec,
                first,
                [task for step, task in tasks if step == first],
                folder=folder,
                dataset=dataset,
                first_number=0,
                salt=self._salt,
            )
            new = NewRun(run, spec, folder, tasks, dataset, retry_of)

            def keep(change: Change, now: float) -> None:
                change.answer(request.id, RequestState.DONE)
                add_run(change, new, now=now)
                add_batches(change, run, begun.plan, begun.batches, now=now)

            await self._store.change(keep)
        except Exception:
            with contextlib.suppress(RunnerError):
                await runner.discard(folder)
            raise
        return run

    async def _cancel(self, request: RequestRow, asked: CancelRequest) -> str:
        run = await self._store.read(lambda writer: writer.run(asked.run))
        if run.state.final:
            raise RefusalError(f"Run {run.id} has ended already: it is {run.state}.")
        if asked.task is not None:
            return await self._cancel_task(request, asked.run, asked.task)
        if asked.batch is not None:
            return await self._cancel_batch(request, asked.run, asked.batch)

        def mark(change: Change, now: float) -> None:
            change.update("runs", {"id": run.id}, {"cancelling": 1})
            change.add_event(run.id, "cancel", {}, time=now)
            cancel_waiting(change, run.id, now=now)
            settle(change, run.id, now=now)
            change.answer(request.id, RequestState.DONE)

        await self._store.change(mark)
        return run.id

    async def _cancel_task(self, request: RequestRow, run: str, index: int) -> str:
        def mark(change: Change, now: float) -> None:
            waiting = cancel_waiting(change, run, now=now, task=index)
            if not waiting and not intend_cancel(change, run, index):
                raise RefusalError(f"Task {index} of run {run} has ended already.")
            change.add_event(run, "cancel", {"task": index}, time=now)
            settle(change, run, now=now)
            change.answer(request.id, RequestState.DONE)

        task = await self._store.read(lambda writer: writer.task(run, index))
        if task.state.final:
            raise RefusalError(f"Task {index} of run {run} has ended already: it is {task.state}.")
        await self._store.change(mark)
        return run

    async def _cancel_batch(self, request: RequestRow, run: str, number: int) -> str:
        batches = await self._store.read(lambda writer: writer.batches(run))
        tokens = {batch.number: batch.token for batch in batches}
        if number not in tokens:
            raise RefusalError(f"Run {run} has no batch {number}; it has {len(tokens)} so far, from 0 on.")

        def mark(change: Change, now: float) -> None:
            if not intend_cancel_of_batch(change, run, tokens[number]):
                raise RefusalError(f"Batch {number} of run {run} has ended already.")
            change.add_event(run, "cancel", {"batch": number}, time=now)
            change.answer(request.id, RequestState.DONE)

        await self._store.change(mark)
        return run

    async def _answer(self, request: RequestRow, state: RequestState, answer: str = "") -> None:
        await self._store.change(lambda change, _: change.answer(request.id, state, answer))


def _parsed(model: type[M], request: RequestRow) -> M:
    try:
        return model.model_validate(request.payload)
    except ValidationError as error:
        unknown = [fault["loc"] for fault in error.errors() if fault["type"] == "extra_forbidden"]
        if unknown:
            name = shown(".".join(map(str, unknown[0])))
            raise RefusalError(older_than_asker(name)) from error
        raise ConfigError.at("The request can't be carried out", faulty_fields(error)) from error


def _has_run(writer: Writer, run: str) -> bool:
    try:
        writer.run(run)
    except UnknownRunError:
        return False
    return True


def _to_retry(
    writer: Writer, run: RunRow, needs: TaskNeeds
) -> tuple[LaunchSpec, list[tuple[int, Numbered]], list[Item]]:
    """What a retry of *run* with these *needs* is to do, which of its tasks are not done, and its dataset."""
    spec = spec_of(writer, run.id)
    tasks = [
        (position, task)
        for position in range(len(spec.workflow.steps))
        for task in tasks_of(writer, run.id, spec, position, (State.FAILED, State.CANCELLED))
    ]
    name = _retry_name(run, {other.name for other in writer.runs()})
    again = {step for step, _ in tasks}
    steps = [
        step.model_copy(update={"meta": needs.over(step.meta)}) if position in again else step
        for position, step in enumerate(spec.workflow.steps)
    ]
    workflow = spec.workflow.model_copy(update={"steps": steps})
    return spec.model_copy(update={"name": name, "workflow": workflow}), tasks, dataset_of(writer, run.id)


def _retry_name(run: RunRow, taken: Collection[str]) -> str:
    """The name of a retry of *run*: `NAME-retry`, or `NAME-retry-2` and so on where that is *taken*."""
    name = _RETRY.sub("", run.name) if run.retry_of else run.name
    endings = itertools.chain(["-retry"], (f"-retry-{number}" for number in itertools.count(2)))
    names = (name[: LONGEST_NAME - len(ending)] + ending for ending in endings)
    return next(found for found in names if found not in taken)


def _takes_all(spec: LaunchSpec) -> bool:
    """Whether a step is given all items together."""
    return any(step.type is TaskType.NON_PARALLEL for step in spec.workflow.steps)
