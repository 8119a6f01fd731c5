"""The commands that are run on resources, written to the store together, at most once a second."""

import asyncio
import logging
from collections import deque

from runners.engine.storing import Store
from runners.store.reader import COMMANDS_KEPT
from runners.transport.records import CommandRecord

log = logging.getLogger(__name__)

_TOGETHER_S = 1.0


class CommandLog:
    """Takes records at any time, and writes them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._records: deque[CommandRecord] = deque(maxlen=COMMANDS_KEPT)
        self._some = asyncio.Event()

    def add(self, record: CommandRecord) -> None:
        """Have *record* written."""
        self._records.append(record)
        self._some.set()

    async def run(self) -> None:
        """Write for ever, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(_TOGETHER_S)
            await self.flush()

    async def flush(self) -> None:
        """Write what is waiting."""
        self._some.clear()
        records = list(self._records)
        self._records.clear()
        if records:
            await self._store.change(lambda change, _: change.add_commands(records))
