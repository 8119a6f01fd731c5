"""Places that can't be reached are left alone for a while: one attempt at a time, with growing pauses."""

import random
import time
from dataclasses import dataclass

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


@dataclass(slots=True)
class _Rest:
    trouble: str
    pause_s: float
    until: float
    tried: bool = False
    """Someone was allowed an attempt, whose outcome is not known yet."""


class Rests:
    """Whose turn it is to try a place that could not be reached, however many runs wait for it."""

    def __init__(self) -> None:
        self._rests: dict[str, _Rest] = {}

    def left_s(self, place: str) -> float:
        """Seconds until *place* may be tried again; 0 where it may be now."""
        rest = self._rests.get(place)
        return 0.0 if rest is None else max(0.0, rest.until - time.monotonic())

    def trouble(self, place: str) -> str:
        """Why *place* could not be reached, as a sentence; empty where it could, or nobody knows."""
        rest = self._rests.get(place)
        return "" if rest is None else rest.trouble

    def may_try(self, place: str) -> bool:
        """Whether *place* may be tried now; the caller does, and tells the outcome."""
        rest = self._rests.get(place)
        if rest is None:
            return True
        if self.left_s(place):
            return False
        rest.tried = True
        rest.until = time.monotonic() + _LONGEST_PAUSE_S
        return True

    def reached(self, place: str) -> bool:
        """*place* could be reached; whether that is news."""
        return self._rests.pop(place, None) is not None

    def missed(self, place: str, trouble: str) -> None:
        """*place* could not be reached, because of *trouble*."""
        rest = self._rests.get(place)
        if rest is not None and not rest.tried:
            # Others had begun their attempts before.
            rest.trouble = trouble
            return
        pause = _FIRST_PAUSE_S if rest is None else min(_LONGEST_PAUSE_S, rest.pause_s * 2)
        # Not all engines of a site at the same moment.
        until = time.monotonic() + pause * random.uniform(0.8, 1.0)
        self._rests[place] = _Rest(trouble, pause, until)

    def end(self, place: str) -> None:
        """A person wants *place* to be tried now."""
        if (rest := self._rests.get(place)) is not None:
            rest.until = 0.0
