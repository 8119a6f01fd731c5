"""Batches on this machine: each is a detached worker, which outlives whoever started it."""

import asyncio
import contextlib
import json
import os
import posixpath
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import runners.worker
from runners.base import BaseRunner
from runners.batches import (
    BatchRef,
    BatchSpec,
    Cursor,
    Launched,
    Life,
    Line,
    LogChunk,
    Outcome,
    Pace,
    Report,
    RunnerError,
    Watched,
)
from runners.config.resource import LocalResource
from runners.event_files import events_path, new_events, read_events
from runners.findings import Finding
from runners.machine import cores, memory_mb
from runners.plan import Plan, plan_local
from runners.processes import Owner, sweep
from runners.reading import fetch, read_log
from runners.transport.base import Part, Piece, TransportError
from runners.transport.local import LocalTransport
from runners.worker_files import worker_files
from runners.workflow import Step

if TYPE_CHECKING:
    from runners.sample import Sample

LOOK_BYTES = 1 << 20
"""Bytes of one batch's events that one look reads at most."""

_HEARTBEAT_S = 2.0
_CONTROL_POLL_S = 0.5
_LAUNCH_S = 30.0
"""Longer than the worker itself waits for its claim, so that it is the one to tell what went wrong."""


class LocalRunner(BaseRunner):
    """Runs batches on this machine as the user we are."""

    def __init__(self, resource: LocalResource, transport: LocalTransport | None = None) -> None:
        self._resource = resource
        self._transport = transport or LocalTransport()
        self._owners: dict[str, Owner] = {}
        """The claims seen so far, by token: a claim never changes here, where nothing is requeued."""

    @property
    def jobs_folder(self) -> str:
        """See :attr:`BaseRunner.jobs_folder`."""
        return self._resource.jobs_local_dir

    @property
    def place(self) -> str:
        """See :attr:`BaseRunner.place`."""
        return "local"

    @property
    def pace(self) -> Pace:
        """See :attr:`BaseRunner.pace`."""
        return Pace(quick_s=0.1, quiet_s=1.0)

    @property
    def line(self) -> Line:
        """See :attr:`BaseRunner.line`."""
        return self._transport.line

    async def reach(self) -> Line:
        """See :meth:`BaseRunner.reach`: it is this machine."""
        return self.line

    async def check(self, sample: "Sample") -> AsyncIterator[Finding]:
        """See :meth:`BaseRunner.check`."""
        # Here, so that what only checks need is not loaded by every engine.
        from runners.check import check_local

        async with contextlib.aclosing(check_local(self._resource)) as findings:
            async for finding in findings:
                yield finding

    def plan(self, step: Step, tasks: int) -> Plan:
        """See :meth:`BaseRunner.plan`."""
        config = self._resource.jobs_runner_config
        return plan_local(tasks, config, step.meta, cores=cores(), memory_mb=memory_mb())

    async def prepare(self, batches: Sequence[BatchSpec]) -> None:
        """See :meth:`BaseRunner.prepare`."""
        for batch in batches:
            # A step may work in its own folder, which is about to be made.
            within = batch.folder.startswith(batch.workdir.rstrip("/") + "/")
            if not within and not await asyncio.to_thread(os.path.isdir, batch.workdir):
                raise RunnerError(
                    f"The folder to work in, {batch.workdir!r}, is not there; make it, or name another one."
                )
        files = await asyncio.to_thread(lambda: dict(pair for batch in batches for pair in _files(batch)))
        try:
            await self._transport.make_folders([batch.folder for batch in batches])
            await self._transport.write(files)
        except TransportError as error:
            raise RunnerError(f"The run can't be set up: {error}.") from error

    async def discard(self, folder: str) -> None:
        """See :meth:`BaseRunner.discard`."""
        try:
            await self._transport.remove(folder)
        except TransportError as error:
            raise RunnerError(f"What the run had begun can't be removed: {error}.") from error

    async def launch(self, batches: Sequence[BatchRef]) -> Sequence[Launched]:
        """See :meth:`BaseRunner.launch`."""
        return [await self._launch(batch) for batch in batches]

    async def poll(self, batches: Sequence[Watched]) -> Sequence[Report]:
        """See :meth:`BaseRunner.poll`."""
        try:
            await self._find_owners([watched.batch for watched in batches])
            # Looked at before the events are read: what a dead worker wrote is then all there.
            lives = await asyncio.to_thread(lambda: [self._life(watched.batch) for watched in batches])
            parts = await self._transport.read([new_events(watched, LOOK_BYTES) for watched in batches])
        except TransportError as error:
            raise RunnerError(f"This machine's workers can't be looked at: {error}.") from error
        looks = list(zip(batches, lives, parts, strict=True))
        return await asyncio.to_thread(lambda: [_report(*look) for look in looks])

    async def cancel(self, batch: BatchRef, tasks: Sequence[int] | None = None) -> bool:
        """See :meth:`BaseRunner.cancel`."""
        control = posixpath.join(batch.folder, "control")
        names = ["stop"] if tasks is None else [f"cancel.{index}" for index in tasks]
        try:
            await self._transport.make_folders([posixpath.join(control, name) for name in names])
            await self._find_owners([batch])
            (events,) = await self._transport.read([Piece(events_path(batch.folder, Cursor()), 0, 1)])
        except TransportError as error:
            raise RunnerError(f"The batch {batch.token} can't be cancelled: {error}.") from error
        owner = self._owners.get(batch.token)
        # Once it writes events it knows the signal; before, the signal would end it. It looks by itself, too.
        if owner is not None and events is not None and events.data:
            await asyncio.to_thread(owner.signal, signal.SIGUSR1)
        return owner is not None

    async def read_log(self, path: str, offset: int, limit: int) -> LogChunk:
        """See :meth:`BaseRunner.read_log`."""
        return await read_log(self._transport, path, offset, limit)

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        """See :meth:`BaseRunner.fetch`."""
        return await fetch(self._transport, paths, limit)

    async def close(self) -> None:
        """See :meth:`BaseRunner.close`."""
        await self._transport.close()

    async def _launch(self, batch: BatchRef) -> Launched:
        try:
            await self._find_owners([batch])
            if batch.token not in self._owners:
                worker = [sys.executable, "-I", "-S", runners.worker.__file__, "launch", batch.folder]
                reply = await self._transport.run(worker, timeout_s=_LAUNCH_S)
                await self._find_owners([batch])
        except TransportError as error:
            return Launched(batch.token, Outcome.UNKNOWN, reason=f"The worker can't be started: {error}.")
        if owner := self._owners.get(batch.token):
            # Also when another launch, of an engine killed in the middle of it, was first.
            return Launched(batch.token, Outcome.STARTED, f"{owner.pid}.{owner.start}", owner.host)
        return Launched(batch.token, Outcome.REFUSED, reason=_refusal(reply.out or reply.err))

    async def _find_owners(self, batches: Sequence[BatchRef]) -> None:
        missing = [batch for batch in batches if batch.token not in self._owners]
        if not missing:
            return
        claims = [Piece(posixpath.join(batch.folder, "claim"), 0, 4096) for batch in missing]
        for batch, part in zip(missing, await self._transport.read(claims), strict=True):
            if part is not None:
                with contextlib.suppress(ValueError):
                    self._owners[batch.token] = Owner.of(json.loads(part.data))

    def _life(self, batch: BatchRef) -> Life:
        owner = self._owners.get(batch.token)
        if owner is None:
            # It was launched: someone has spoilt its claim, or removed its folder.
            return Life.UNTOLD if os.path.lexists(posixpath.join(batch.folder, "claim")) else Life.GONE
        lives = owner.lives()
        return Life.UNTOLD if lives is None else Life.ALIVE if lives else Life.GONE


def _files(batch: BatchSpec) -> list[tuple[str, bytes]]:
    """The worker's files, with their paths."""
    files = worker_files(batch, heartbeat_s=_HEARTBEAT_S, control_poll_s=_CONTROL_POLL_S)
    return [(posixpath.join(batch.folder, name), data) for name, data in files.items()]


def _report(watched: Watched, life: Life, part: Part | None) -> Report:
    events, cursor, more = read_events(part, watched.cursor, LOOK_BYTES)
    if life is Life.GONE and part is not None and part.trouble:
        life = Life.UNTOLD
    elif life is Life.GONE and more:
        life = Life.ALIVE
    elif life is Life.GONE:
        sweep(watched.batch.token)
    return Report(watched.batch.token, events, cursor, life, more)


def _refusal(said: bytes) -> str:
    """The worker's own sentence on why it did not start."""
    try:
        return str(json.loads(said)["error"])
    except (ValueError, KeyError, TypeError):
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        return f"The worker did not start: {last[0] if last else 'it said nothing'}."
