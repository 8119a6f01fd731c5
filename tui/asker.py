"""Brings what the engine asks to the person: a fingerprint to compare, a passphrase, a code."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.worker import Worker

from tui.keys import is_typed_in
from tui.screens.page import Page
from tui.standing import ANSWER_KEY

if TYPE_CHECKING:
    from runners.transport.questions import Question
    from tui.dashboard import Dashboard
    from tui.screens.ask import Ask, Given

LOOK_S = 5.0
"""Between two looks while work is on clusters. Each tells the engine, too, that somebody watches."""

_ASKED_S = 1.0
"""The same while the store says that something is asked."""


class Asker:
    """Asks one question at a time, wherever the person is, but not while a text is typed."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        self._open: Sequence[Question] = ()
        self._settled: set[int] = set()
        """Questions that were answered, or put off."""
        self._told: set[int] = set()
        self._looked_at = float("-inf")
        self._looking: Worker[None] | None = None
        self._shown: Ask | None = None
        self._wanted = False
        """Whether the person waits for a question to be shown."""

    def attend(self) -> None:
        """Look whether something is asked, if it is time to; ask it, if it is a good moment."""
        picture = self._dashboard.picture
        asked = any(place.question for place in picture.places.values())
        if not picture.engine or not (asked or picture.on_clusters):
            self._take(())
        elif time.monotonic() - self._looked_at >= (_ASKED_S if asked else LOOK_S):
            self._look()
        self._ask_next()

    def recall(self) -> None:
        """The person wants to answer: also what was put off, and in the middle of a text."""
        self._settled.clear()
        self._wanted = True
        self._look()

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        # One that takes its time is not called off by the next: else none would come to its end.
        if self._looking is None or self._looking.is_finished:
            self._looking = self._dashboard.run_worker(self._look_now, group="questions", exit_on_error=False)

    async def _look_now(self) -> None:
        from runners.engine.client import EngineError

        try:
            self._take(await self._dashboard.client.questions())
        except EngineError:
            # It is busy. The questions stay open meanwhile, and it is asked again.
            return
        wanted, self._wanted = self._wanted, False
        if wanted and not self._open:
            self._dashboard.tell("Nothing is asked at the moment.")
        self._ask_next(wanted=wanted)

    def _take(self, questions: Sequence[Question]) -> None:
        self._open = questions
        # The next engine counts from the beginning again.
        numbers = {question.id for question in questions}
        self._settled &= numbers
        self._told &= numbers

    def _ask_next(self, *, wanted: bool = False) -> None:
        dashboard = self._dashboard
        screen = dashboard.screen
        if self._shown is not None and self._shown is screen:
            if all(question.id != self._shown.question.id for question in self._open):
                # It was answered elsewhere, or nobody waits for the answer any longer.
                self._shown.dismiss(None)
            return
        question = next((each for each in self._open if each.id not in self._settled), None)
        if question is None or dashboard.read_only:
            return
        who = self._who(question)
        busy = not isinstance(screen, Page) or is_typed_in(screen.focused)
        if busy and not wanted:
            if question.id not in self._told:
                self._told.add(question.id)
                dashboard.tell(f"{who} asks something: {ANSWER_KEY} shows what.")
            return

        def answered(given: Given | None) -> None:
            self._settled.add(question.id)
            if given is not None:
                dashboard.run_worker(self._answer(question, given), group="answer", exit_on_error=False)

        from tui.screens.ask import Ask

        self._shown = Ask(question, who)
        dashboard.push_screen(self._shown, answered)

    async def _answer(self, question: Question, given: Given) -> None:
        if not await self._dashboard.client.answer(question.id, given.answers):
            self._dashboard.tell("That came too late: the question is not open any more.", wrong=True)

    def _who(self, question: Question) -> str:
        places = self._dashboard.picture.places.values()
        names = [f"{place.resource} as {place.profile}" for place in places if place.place == question.place]
        return names[0] if names else question.place
