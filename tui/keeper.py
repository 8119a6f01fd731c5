"""Sees to it that there is an engine while runs are live: without one nobody writes down what happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from tui.feed import Picture

if TYPE_CHECKING:
    from runners.engine.client import EngineClient

PAUSE_S = 3.0
"""Between two attempts to start an engine, in seconds."""


class EngineState(StrEnum):
    """What can be said of the engine."""

    ON = "on"
    STARTING = "starting"
    OFF = "off"


class Keeper:
    """Starts the engine, at most once in `PAUSE_S`. *clock* gives seconds that only go up."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tried_at: float | None = None
        self._failed = False
        self._told = ""

    def state(self, picture: Picture) -> EngineState:
        """How the engine is. One that was just started counts as starting until a picture shows it."""
        if picture.engine:
            return EngineState.ON
        return EngineState.STARTING if self._resting and not self._failed else EngineState.OFF

    def due(self, picture: Picture) -> bool:
        """Whether it is time to start one; if so, the attempt counts from now on: do `start`."""
        if picture.engine:
            self._told = ""
        if not picture.stale or picture.problem or self._resting:
            return False
        self._tried_at = self._clock()
        self._failed = False
        return True

    async def start(self, client: EngineClient) -> str:
        """Start an engine through *client*, detached; return once it answers.

        Cancelling leaves one that has begun alone.

        Returns why it can't run, or does not answer in time, for the person to be told: it is tried again and
        again, so that is empty where it was told before, as it is where nothing is wrong.
        """
        from runners.engine.client import EngineError

        try:
            await client.ensure_running(PAUSE_S)
        except EngineError as error:
            self._failed = True
            before, self._told = self._told, str(error)
            return self._told if self._told != before else ""
        return ""

    @property
    def _resting(self) -> bool:
        return self._tried_at is not None and self._clock() < self._tried_at + PAUSE_S
