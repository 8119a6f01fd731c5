"""The runs that are being looked after."""

from collections.abc import Callable, Collection, Coroutine
from typing import Any

from runners.engine.places import Places
from runners.engine.pool import Pool
from runners.engine.storing import Store
from runners.engine.supervising import Supervisor
from runners.engine.watches import Watches


class Supervisors:
    """Has each run looked after, until it has ended, and passes on what the watches see."""

    def __init__(
        self,
        store: Store,
        pool: Pool,
        places: Places,
        salt: str,
        attended: Callable[[], bool],
        own: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """*own* runs what looks after a run, for the others see :class:`Supervisor` and :class:`Watch`."""
        self._own = own
        self.watches = Watches(store, pool, places, self, attended, own)
        self._make: Callable[[str], Supervisor] = lambda run: Supervisor(
            run, store, pool, places, self.watches, salt
        )
        self._supervisors: dict[str, Supervisor] = {}

    def __len__(self) -> int:
        return len(self._supervisors)

    def supervise(self, run: str) -> None:
        """Have *run* looked after, and look at it now."""
        if run in self._supervisors:
            self._supervisors[run].look()
        else:
            self._supervisors[run] = self._make(run)
            self._own(self._look_after(run))

    def moved(self, owner: str, runs: Collection[str]) -> None:
        """See :meth:`Listener.moved`."""
        for run, supervisor in self._supervisors.items():
            if run in runs or supervisor.waits_for(owner):
                supervisor.look()

    def reached(self, place: str) -> None:
        """*place* can be reached again."""
        for supervisor in self._supervisors.values():
            if supervisor.waits_for(place):
                supervisor.look()
        self.watches.hurry(place)

    def troubled(self, run: str, trouble: str) -> None:
        """See :meth:`Listener.troubled`."""
        if run in self._supervisors:
            self._supervisors[run].trouble(trouble)

    async def _look_after(self, run: str) -> None:
        await self._supervisors[run].supervise()
        del self._supervisors[run]
