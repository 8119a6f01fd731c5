"""Questions that wait for a person."""

import asyncio

import pytest

from runners.transport.questions import Kind, NoAnswerError, Prompt, Questions
from tests.waiting import until

PROMPTS = (Prompt("Passphrase", echo=False), Prompt("Code", echo=True))


async def test_a_question_is_open_until_it_is_answered() -> None:
    questions = Questions()
    asking = asyncio.create_task(questions.ask("ssh:me@host", Kind.CODE, "It asks for two things.", PROMPTS))
    (question,) = await until(questions.open)
    assert (question.place, question.kind, question.text) == (
        "ssh:me@host",
        "code",
        "It asks for two things.",
    )
    assert question.prompts == PROMPTS
    assert not questions.answer(question.id, ["only one"])
    assert not questions.answer(question.id + 1, ["a", "b"])
    assert questions.answer(question.id, ["a", "b"])
    assert not questions.answer(question.id, ["too", "late"])
    assert await asking == ["a", "b"]
    assert questions.open() == []
    assert not questions.answer(question.id, None)


async def test_a_question_can_be_refused() -> None:
    questions = Questions()
    asking = asyncio.create_task(questions.ask("ssh:me@host", Kind.HOST_KEY, "Is it this one?"))
    (question,) = await until(questions.open)
    assert questions.answer(question.id, None)
    with pytest.raises(NoAnswerError) as caught:
        await asking
    assert caught.value.refused


async def test_a_question_that_nobody_answers_comes_to_an_end() -> None:
    questions = Questions(patience_s=0.05)
    with pytest.raises(NoAnswerError) as caught:
        await questions.ask("ssh:me@host", Kind.HOST_KEY, "Is it this one?")
    assert not caught.value.refused
    assert questions.open() == []


async def test_whoever_asks_can_withdraw() -> None:
    questions = Questions()
    asking = asyncio.create_task(questions.ask("ssh:me@host", Kind.HOST_KEY, "Is it this one?"))
    await until(questions.open)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert questions.open() == []


async def test_an_answer_is_shown_nowhere() -> None:
    questions = Questions()
    asking = asyncio.create_task(questions.ask("ssh:me@host", Kind.PASSPHRASE, "The key is locked.", PROMPTS))
    (question,) = await until(questions.open)
    questions.answer(question.id, ["hunter2", "x"])
    assert "hunter2" not in repr(vars(questions))
    await asking
