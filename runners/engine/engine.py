"""The engine: it owns the runs of one user and state folder, and outlives whoever started it."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from runners.config.files import ensure_local_resource
from runners.config.home import Home
from runners.engine.accepting import Acceptor
from runners.engine.answering import Desk
from runners.engine.checks import Checks
from runners.engine.lock import Lock, file_at
from runners.engine.places import Places
from runners.engine.pool import Pool
from runners.engine.recording import CommandLog
from runners.engine.server import Answer, Operation, serve
from runners.engine.storing import Store
from runners.engine.supervisors import Supervisors
from runners.engine.wire import listen

log = logging.getLogger(__name__)

IDLE_S = 600.0
"""How long the engine stays with nothing to do, unless it is told otherwise."""

_LOOK_S = 1.0
"""Between two looks for requests, where nobody calls: whoever asked may have died before it could."""

_ATTENDED_S = 15.0
"""How long after a call someone counts as watching."""

_THREADS = 32
"""As many as may hang, on a name that is looked up or a disk that is gone, before it holds up the others."""

_LAST_WORDS_S = 2.0
"""For what is left to be written at the end."""


class Engine:
    """Turns requests into work and what workers report into rows.

    It is plain asyncio, so that a test can host it: :meth:`run` until :meth:`stop`. Stopping or killing it
    cancels nothing; the next one goes on from the rows.
    """

    def __init__(self, home: Home, *, idle_s: float = IDLE_S) -> None:
        self._home = home
        self._idle_s = idle_s
        self._store = Store(home.database)
        self._places = Places(self._store, self._own, self._reached)
        self._commands = CommandLog(self._store)
        self._pool = Pool(home, self._places, self._commands.add)
        salt = str(home.state)
        self._acceptor = Acceptor(salt, self._store, self._pool)
        self._supervisors = Supervisors(
            self._store, self._pool, self._places, salt, self._attended, self._own
        )
        self._desk = Desk(self._store, self._pool, self._places, self._supervisors)
        self._checks = Checks(self._pool, self._own)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._used = time.monotonic()
        """When it last had something to do."""
        self._called = float("-inf")
        """When anyone last called."""

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
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
            async with asyncio.TaskGroup() as self._group:
                self._own(self._commands.run())
                self._own(self._work())
                self._own(self._guard())
                server = await asyncio.start_unix_server(self._connected, sock=listener)
                try:
                    await self._stopping.wait()
                finally:
                    self.stop()
                    server.close()
                    if self._lock.in_place():
                        self._home.socket.unlink(missing_ok=True)
                    for task in self._tasks:
                        task.cancel()
        finally:
            await self._pool.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS_S):
                    await self._commands.flush()
            await self._store.close()
            self._lock.release()
            log.info("Engine %d has ended.", self._lock.holder.pid)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        if self._stopping.is_set():
            work.close()
            return
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        """Carry out what is asked for, in the order of asking, and have the runs looked after."""
        # First of all: a run that was to be cancelled while no engine was there must not go on before.
        await self._places.begin()
        await self._carry_out_requests()
        for run in await self._store.read(lambda writer: writer.live_runs()):
            self._supervisors.supervise(run.id)
        while True:
            self._wake.clear()
            if await self._carry_out_requests() or self._supervisors or self._places.questions():
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
                self._supervisors.supervise(run)
        return bool(requests)

    def _reached(self, place: str) -> None:
        self._supervisors.reached(place)

    def _attended(self) -> bool:
        return time.monotonic() - self._called < _ATTENDED_S

    # What is asked over the socket

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        operations: dict[str, Operation] = {
            "status": self._status,
            "wake": self._woken,
            "stop": self._told_to_stop,
            **self._desk.operations,
            **self._checks.operations,
        }
        if not self._attended():
            self._supervisors.watches.hurry()
        self._used = self._called = time.monotonic()
        self._own(serve(reader, writer, operations))

    async def _status(self, _: dict[str, Any]) -> Answer:
        holder = self._lock.holder
        status = {"pid": holder.pid, "host": holder.host, "started": holder.started}
        return {**status, "runs": len(self._supervisors), "batches": len(self._supervisors.watches)}, b""

    async def _woken(self, _: dict[str, Any]) -> Answer:
        self._wake.set()
        return {"trouble": self._store.trouble}, b""

    async def _told_to_stop(self, _: dict[str, Any]) -> Answer:
        # Not before the answer is on its way.
        asyncio.get_running_loop().call_later(0.01, self.stop)
        return {}, b""
