"""The watches in use: one for each owner of batches, whatever the number of runs and resources there."""

from collections.abc import Callable, Coroutine
from typing import Any

from runners.base import BaseRunner
from runners.engine.places import Places
from runners.engine.pool import Pool
from runners.engine.storing import Store
from runners.engine.watching import Listener, Watch
from runners.store.rows import BatchRow, RunRow


class Watches:
    """Has the batches of each owner watched together."""

    def __init__(
        self,
        store: Store,
        pool: Pool,
        places: Places,
        listener: Listener,
        attended: Callable[[], bool],
        own: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """*own* runs a watch until the engine ends; for the others see :class:`Watch`."""
        self._make: Callable[[str], Watch] = lambda owner: Watch(
            owner, store, pool, places, listener, attended
        )
        self._own = own
        self._watches: dict[str, Watch] = {}

    def __len__(self) -> int:
        """How many batches are being watched."""
        return sum(len(watch) for watch in self._watches.values())

    def add(self, run: RunRow, runner: BaseRunner, batch: BatchRow) -> None:
        """Have *batch* of *run* watched from now on, through *runner*."""
        owner = runner.owner
        if owner not in self._watches:
            self._watches[owner] = self._make(owner)
            self._own(self._watches[owner].run())
        self._watches[owner].add(run, runner, batch)

    def looked_through(self, runner: BaseRunner) -> BaseRunner:
        """The runner that looks at the batches which *runner* has started: it sees to it that they stop."""
        watch = self._watches.get(runner.owner)
        return (watch and watch.runner()) or runner

    def hurry(self, place: str | None = None) -> None:
        """Look again at *place*, or everywhere, as soon as the resources like it."""
        for watch in self._watches.values():
            if place is None or watch.goes_to(place):
                watch.hurry()
