"""What only a person can answer when a line is made: is this host the right one, a passphrase, a code."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

PATIENCE_S = 300.0
"""Seconds that a question waits for its answer."""


class NoAnswerError(Exception):
    """A question got no answer: nobody was there, or somebody refused."""

    def __init__(self, *, refused: bool) -> None:
        super().__init__("refused" if refused else "not answered")
        self.refused = refused


class Kind(StrEnum):
    """What a question is about."""

    HOST_KEY = "host_key"
    """Whether a host that is seen for the first time is the right one: no prompts; any answer accepts it."""
    PASSPHRASE = "passphrase"
    """What a private key is encrypted with."""
    CODE = "code"
    """What the host asks for when one logs in: a password, a second factor."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing to be typed in. The label may come from a host: it is not to be trusted."""

    label: str
    echo: bool
    """Whether what is typed may be seen."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that waits for an answer. The text may quote a host: it is not to be trusted."""

    id: int
    place: str
    """See `BaseRunner.place`."""
    kind: Kind
    text: str
    prompts: tuple[Prompt, ...] = ()


@dataclass(slots=True)
class _Open:
    question: Question
    answer: asyncio.Future[Sequence[str] | None] = field(repr=False)


class Questions:
    """The questions that are open at the moment. Answers pass through it and stay nowhere."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._open: dict[int, _Open] = {}
        self._ids = itertools.count(1)

    def open(self) -> list[Question]:
        """The questions that wait for an answer, the oldest first."""
        return [one.question for one in self._open.values()]

    async def ask(self, place: str, kind: Kind, text: str, prompts: Sequence[Prompt] = ()) -> Sequence[str]:
        """Ask, and wait for the answer: one text for each prompt. Cancelling withdraws the question.

        Raises:
            NoAnswerError: it was refused, or nobody answered in time.
        """
        question = Question(next(self._ids), place, kind, text, tuple(prompts))
        one = _Open(question, asyncio.get_running_loop().create_future())
        self._open[question.id] = one
        try:
            async with asyncio.timeout(self._patience_s):
                answers = await one.answer
        except TimeoutError as error:
            raise NoAnswerError(refused=False) from error
        finally:
            del self._open[question.id]
        if answers is None:
            raise NoAnswerError(refused=True)
        return answers

    def answer(self, number: int, answers: Sequence[str] | None) -> bool:
        """Answer the question with the id *number*, one text for each of its prompts; None: refuse.

        Returns whether it was taken: False where no such question is open (any more), or it has another
        number of prompts.
        """
        one = self._open.get(number)
        if one is None or one.answer.done():
            return False
        if answers is not None and len(answers) != len(one.question.prompts):
            return False
        one.answer.set_result(answers)
        return True
