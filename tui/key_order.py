"""Keys in the order in which they were pressed, however many arrive at once.

Textual hands a key to what has the focus at that moment. A letter is inserted there at once, but a key that
is bound goes up to the application first, and what it does may need some messages more: of `down` and `x` in
one burst, as a slow line delivers them, the `x` came first. Here a key is taken when what the one before it
does is done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from textual import events, on
from textual.app import App, ReturnType, ScreenStackError
from textual.message import Message

ROUNDS: Final = 3
"""How often it is looked whether a key is done: its own way up, that of the message which it made (a line
was typed in), and that of the message which this one made (the draft is to be changed)."""

PATIENCE_S: Final = 2.0
"""After which the next key is taken whatever became of the one before: what it went to may be gone."""


class Passed(Message):
    """Goes the way of a key, behind it: where this arrives, the key has been."""

    def __init__(self, key: int, rounds: int) -> None:
        super().__init__()
        self.key = key
        """Which key it follows, counted from the first."""
        self.rounds = rounds
        """How often it is still to be sent after that."""


class InOrder(App[ReturnType]):
    """An application that takes one key after the other, and a paste as a key."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[events.Event] = deque()
        self._key = 0
        self._under_way = False
        self._guard: asyncio.TimerHandle | None = None

    async def on_event(self, event: events.Event) -> None:
        """Take it, or keep it until what came before is done. The pointer may move meanwhile."""
        ordered = isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded
        if not ordered or isinstance(event, events.MouseMove):
            await super().on_event(event)
        elif self._under_way or self._waiting:
            self._waiting.append(event)
        else:
            await self._take(event)

    async def _take(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
            return
        self._key += 1
        self._under_way = True
        await super().on_event(event)
        given_up = Passed(self._key, 0)
        self._guard = asyncio.get_running_loop().call_later(PATIENCE_S, self.post_message, given_up)
        self._follow(ROUNDS - 1)

    def _follow(self, rounds: int) -> None:
        """Send word after the key, from where it went, or from where the focus is by now."""
        try:
            sent = (self.focused or self.screen).post_message(Passed(self._key, rounds))
        except ScreenStackError:
            # It has closed.
            sent = False
        if not sent:
            self.post_message(Passed(self._key, rounds))

    @on(Passed)
    async def _passed(self, event: Passed) -> None:
        if event.key != self._key or not self._under_way:
            return
        if event.rounds:
            self._follow(event.rounds - 1)
            return
        self._under_way = False
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None
        while self._waiting and not self._under_way:
            await self._take(self._waiting.popleft())
