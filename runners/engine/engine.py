"""The engine: it owns the runs of one user and state folder, and outlives whoever started it."""

import asyncio
import logging
import time
from collections.abc import Collection, Coroutine
from typing import Any

from runners.base import BaseRunner
from runners.batches import LogChunk, RunnerError
from runners.config.errors import ConfigError
from runners.config.files import ensure_local_resource
from runners.config.home import Home
from runners.engine.accepting import Acceptor
from runners.engine.lock import Lock, file_at
from runners.engine.logs import log_place
from runners.engine.pool import Pool
from runners.engine.refusal import RefusalError
from runners.engine.server import Answer, Operation, log_answer, serve
from runners.engine.storing import Store
from runners.engine.supervising import Supervisor
from runners.engine.watching import Watch
from runners.engine.wire import LARGEST, listen
from runners.store.rows import BatchRow, RunRow

log = logging.getLogger(__name__)

IDLE_S = 600.0
"""How long the engine stays with nothing to do, unless it is told otherwise."""

_LOOK_S = 1.0
"""Between two looks for requests, where nobody calls: whoever asked may have died before it could."""


class Engine:
    """Turns requests into work and what workers report into rows.

    It is plain asyncio, so that a test can host it: :meth:`run` until :meth:`stop`. Stopping or killing it
    cancels nothing; the next one goes on from the rows.
    """

    def __init__(self, home: Home, *, idle_s: float = IDLE_S) -> None:
        self._home = home
        self._idle_s = idle_s
        self._store = Store(home.database)
        self._pool = Pool(home)
        self._acceptor = Acceptor(home, self._store, self._pool)
        self._supervisors: dict[str, Supervisor] = {}
        self._watches: dict[tuple[str, str | None], Watch] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._used = time.monotonic()
        """When it last had something to do."""

    def stop(self) -> None:
        """Have :meth:`run` return soon."""
        self._stopping.set()

    async def run(self) -> None:
        """Be the engine until stopped, or idle for so long. Cancelling does the same as stopping.

        Raises:
            HeldError: another engine is running.
            ConfigError: the folders can't be made.
            StoreError: the store can't be opened.
            OSError: lock or socket can't be made.
        """
        await asyncio.to_thread(self._home.make)
        await asyncio.to_thread(ensure_local_resource, self._home.resources, self._home.jobs.parent)
        self._lock = await asyncio.to_thread(Lock.take, self._home.lock)
        try:
            await self._store.open()
            listener = await asyncio.to_thread(listen, self._home.socket)
            self._socket = await asyncio.to_thread(file_at, self._home.socket)
            log.info("Engine %d is running for %s.", self._lock.holder.pid, self._home.state)
            async with asyncio.TaskGroup() as self._group:
                self._own(self._work())
                self._own(self._guard())
                server = await asyncio.start_unix_server(self._connected, sock=listener)
                try:
                    await self._stopping.wait()
                finally:
                    server.close()
                    if self._lock.in_place():
                        self._home.socket.unlink(missing_ok=True)
                    for task in self._tasks:
                        task.cancel()
        finally:
            await self._pool.close()
            await self._store.close()
            self._lock.release()
            log.info("Engine %d has ended.", self._lock.holder.pid)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        """Carry out what is asked for, in the order of asking, and have the runs looked after."""
        # First of all: a run that was to be cancelled while no engine was there must not go on before.
        await self._carry_out_requests()
        for run in await self._store.read(lambda writer: writer.live_runs()):
            self._supervise(run.id)
        while True:
            self._wake.clear()
            if await self._carry_out_requests() or self._supervisors:
                self._used = time.monotonic()
            elif time.monotonic() - self._used > self._idle_s:
                log.info("There has been nothing to do for %.0f s.", self._idle_s)
                self.stop()
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _guard(self) -> None:
        """Leave when someone has removed or replaced store, lock or socket: nobody can ask us then."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                if await self._store.in_place() and await asyncio.to_thread(self._in_place):
                    continue
            except OSError as error:
                log.warning("The state folder can't be looked at: %s", error)
                continue
            log.error("Files in %s are gone or replaced; this engine ends.", self._home.state)
            self.stop()
            return

    def _in_place(self) -> bool:
        return self._lock.in_place() and file_at(self._home.socket) == self._socket

    async def _carry_out_requests(self) -> bool:
        """Carry out all requests that are waiting; whether there were any."""
        requests = await self._store.read(lambda writer: writer.waiting_requests())
        for request in requests:
            run = await self._acceptor.carry_out(request)
            if run is not None:
                self._supervise(run)
        return bool(requests)

    def _supervise(self, run: str) -> None:
        """Have *run* looked after, and look at it now."""
        if run in self._supervisors:
            self._supervisors[run].look()
        else:
            salt = str(self._home.state)
            self._supervisors[run] = Supervisor(run, self._store, self._pool, self._watch, salt)
            self._own(self._look_after(run))

    async def _look_after(self, run: str) -> None:
        await self._supervisors[run].supervise()
        del self._supervisors[run]

    def _watch(self, run: RunRow, runner: BaseRunner, batch: BatchRow) -> None:
        key = (run.resource, run.profile)
        if key not in self._watches:
            self._watches[key] = Watch(self._store, runner, self._batches_ended)
            self._own(self._watches[key].run())
        # The resource may have been edited since.
        self._watches[key].runner = runner
        self._watches[key].add(batch)

    def _batches_ended(self, runs: Collection[str]) -> None:
        for run in runs:
            if run in self._supervisors:
                self._supervisors[run].look()

    # What is asked over the socket

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        operations: dict[str, Operation] = {
            "status": self._status,
            "wake": self._woken,
            "stop": self._told_to_stop,
            "read_log": self._read_log,
        }
        self._used = time.monotonic()
        self._own(serve(reader, writer, operations))

    async def _status(self, _: dict[str, Any]) -> Answer:
        holder = self._lock.holder
        batches = sum(len(watch) for watch in self._watches.values())
        status = {"pid": holder.pid, "host": holder.host, "started": holder.started}
        return {**status, "runs": len(self._supervisors), "batches": batches}, b""

    async def _woken(self, _: dict[str, Any]) -> Answer:
        self._wake.set()
        return {"trouble": self._store.trouble}, b""

    async def _told_to_stop(self, _: dict[str, Any]) -> Answer:
        # Not before the answer is on its way.
        asyncio.get_running_loop().call_later(0.01, self.stop)
        return {}, b""

    async def _read_log(self, asked: dict[str, Any]) -> Answer:
        run, task = str(asked["run"]), int(asked["task"])
        place = await self._store.read(lambda writer: log_place(writer, run, task))
        if place.path is None:
            return log_answer(LogChunk(b"", 0, 0))
        try:
            runner = await self._pool.runner(place.resource, place.profile)
        except (ConfigError, RefusalError) as error:
            raise RunnerError(str(error)) from error
        limit = max(0, min(int(asked["limit"]), LARGEST))
        return log_answer(await runner.read_log(place.path, int(asked["offset"]), limit))
