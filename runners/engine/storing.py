"""The engine's hold on the store: one thread does all work; a store that fails for a while is waited for."""

import asyncio
import itertools
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from runners.engine.lock import file_at
from runners.store.database import connect
from runners.store.writer import Change, Writer

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0


class Store:
    """The store, for a loop that must not block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._writer: Writer | None = None
        self._file: tuple[int, int] | None = None
        self._trouble: dict[int, str] = {}
        """What keeps the work that is being tried again from being done."""
        self._works = itertools.count()

    @property
    def trouble(self) -> str:
        """Why work is held up at the moment, in SQLite's words; empty where none is."""
        return next(iter(self._trouble.values()), "")

    async def open(self) -> None:
        """Open the file.

        Raises:
            StoreError: it can't be opened.
        """
        connection = await asyncio.get_running_loop().run_in_executor(self._thread, connect, self._path)
        self._writer = Writer(connection)
        self._file = await asyncio.to_thread(file_at, self._path)

    async def in_place(self) -> bool:
        """Whether the file that was opened is still the one that others open."""
        return await asyncio.to_thread(file_at, self._path) == self._file

    async def read(self, work: Callable[[Writer], T]) -> T:
        """Do *work* in the store's thread; again, with growing pauses, while the store is locked or full.

        Cancelling leaves work that has begun to its end.
        """
        assert self._writer is not None
        pause = _FIRST_PAUSE_S
        number = next(self._works)
        try:
            while True:
                try:
                    return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._writer)
                except sqlite3.OperationalError as error:
                    log.warning("The store can't be used (%s); trying again in %.1f s.", error, pause)
                    self._trouble[number] = str(error)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE_S, pause * 2)
        finally:
            self._trouble.pop(number, None)

    async def change(self, work: Callable[[Change, float], T]) -> T:
        """Do *work*, which gets the time as well, in one transaction; see :meth:`read`."""

        def transaction(writer: Writer) -> T:
            with writer.change() as change:
                return work(change, time.time())

        return await self.read(transaction)

    async def close(self) -> None:
        """Close the file, after the work that has begun."""
        loop = asyncio.get_running_loop()
        if self._writer is not None:
            await loop.run_in_executor(self._thread, self._writer.close)
        self._thread.shutdown()
