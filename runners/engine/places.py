"""How the resources can be reached, and what waits for a person there: kept in the store."""

import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from runners.batches import Line
from runners.engine.resting import Rests
from runners.engine.storing import Store
from runners.transport.questions import Kind, NoAnswerError, Prompt, Question, Questions

_LOOKED_S = 5.0
"""How old the kept time of a look may be, where nothing else is new."""

Key = tuple[str, str | None]
"""A resource and one of its profiles."""


class Places:
    """Keeps how each resource could be reached, and whether that waits for an answer."""

    def __init__(
        self,
        store: Store,
        own: Callable[[Coroutine[Any, Any, None]], None],
        reached: Callable[[str], None],
    ) -> None:
        """*own* has work done beside all else; *reached* is told of a place that can be reached again."""
        self.rests = Rests()
        self._store = store
        self._own = own
        self._reached = reached
        self._questions = Questions()
        self._refused: set[str] = set()
        """Places about which a person wanted to be asked nothing more."""
        self._keys: defaultdict[str, set[Key]] = defaultdict(set)
        self._lines: dict[str, Line] = {}
        self._kept: dict[Key, tuple[str, Line, int, float]] = {}

    async def begin(self) -> None:
        """An engine that was killed has left questions behind that nobody can answer any more."""
        left = [row for row in await self._store.read(lambda writer: writer.places()) if row.question]
        if left:
            await self._store.change(
                lambda change, _: [
                    change.update(
                        "places", {"resource": row.resource, "profile": row.profile}, {"question": 0}
                    )
                    for row in left
                ]
            )

    def enter(self, key: Key, place: str) -> None:
        """*key* is at *place*, from now on."""
        for keys in self._keys.values():
            keys.discard(key)
        self._keys[place].add(key)

    async def keep(self, place: str, line: Line) -> None:
        """*place* could or could not be reached just now, as *line* tells."""
        self._lines[place] = line
        if line.up is False:
            self.rests.missed(place, line.trouble)
        await self._keep(place)
        if line.up and self.rests.reached(place):
            self._reached(place)

    def questions(self) -> list[Question]:
        """What waits for a person's answer."""
        return self._questions.open()

    def answer(self, number: int, answers: Sequence[str] | None) -> bool:
        """Answer a question; see :meth:`Questions.answer`."""
        return self._questions.answer(number, answers)

    async def ask(self, place: str, kind: Kind, text: str, prompts: Sequence[Prompt] = ()) -> Sequence[str]:
        """Ask a person; see :meth:`Questions.ask`. As long as it is open, it shows at the place.

        What was refused once is refused at once until :meth:`try_now`: attempts go on all the time.
        """
        if place in self._refused:
            raise NoAnswerError(refused=True)
        # Done when the question is open, and when it is not any more.
        self._own(self._keep(place))
        try:
            return await self._questions.ask(place, kind, text, prompts)
        except NoAnswerError as error:
            if error.refused:
                self._refused.add(place)
            raise
        finally:
            self._own(self._keep(place))

    def try_now(self, place: str) -> None:
        """A person wants *place* to be tried now, and to be asked what that needs."""
        self._refused.discard(place)
        self.rests.end(place)

    async def _keep(self, place: str) -> None:
        line = self._lines.get(place, Line(up=None))
        questions = sum(question.place == place for question in self._questions.open())
        now = time.monotonic()
        shown = (place, replace(line, round_trip_s=None), questions)
        due = [key for key in self._keys[place] if self._is_news(key, shown, now)]
        if due:
            self._kept.update(dict.fromkeys(due, (*shown, now)))
            await self._store.change(
                lambda change, now: [
                    change.keep_place(*key, place, line, now=now, questions=questions) for key in due
                ]
            )

    def _is_news(self, key: Key, shown: tuple[str, Line, int], now: float) -> bool:
        if key not in self._kept:
            return shown[1].up is not None or shown[2] > 0
        return self._kept[key][:3] != shown or now - self._kept[key][3] >= _LOOKED_S
