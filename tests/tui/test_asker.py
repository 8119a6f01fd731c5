"""What the engine asks is brought to the person, wherever they are, and steals no keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from textual.widgets import Button, Input

from runners.batches import Line
from runners.config.home import Home
from runners.store.writer import Writer
from runners.transport.questions import Kind, Prompt, Question
from tests.tui import slurm_story
from tests.tui.slurm_story import ALPS, RUN
from tests.tui.stage import Logs, Stage, at, make_home, on_stage, sees, shown, until
from tests.tui.stores import T0
from tui.dashboard import Dashboard
from tui.screens.ask import Ask
from tui.screens.launch import LaunchPage
from tui.screens.run import RunPage
from tui.screens.runs import RunsPage

HOST = Question(
    7, ALPS, Kind.HOST_KEY, "The host login.alps.example has never been seen.\nSHA256:abc [/]\x1b[31m"
)
CODE = Question(
    8, ALPS, Kind.CODE, "login.alps.example asks:", (Prompt("Login:", True), Prompt("Code [b]: ", False))
)
PHRASE = Question(
    9, ALPS, Kind.PASSPHRASE, "The key /home/mira/.ssh/id is locked.", (Prompt("Passphrase:", False),)
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, slurm_story.clusters)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with (
        patch("tui.asker.LOOK_S", 0.0),
        patch("tui.asker._ASKED_S", 0.0),
        patch("tui.screens.ask.GUARD_S", 0.05),
    ):
        yield


def engine(stage: Stage) -> Logs:
    assert isinstance(stage.app, Dashboard) and isinstance(stage.app.client, Logs)
    return stage.app.client


def tell(home: Home, questions: int) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.keep_place("alps", "mira", ALPS, Line(None), now=T0, questions=questions)
    writer.close()


async def asked(stage: Stage, home: Home, *questions: Question) -> None:
    """The engine asks, and writes down that it does."""
    engine(stage).asked += questions
    tell(home, len(questions))


async def ready(stage: Stage) -> None:
    """The dialog takes keys."""
    await at(stage, Ask)
    await until(stage, lambda: stage.app.focused is not None)


async def test_a_fingerprint_is_accepted_only_by_its_button(home: Home) -> None:
    async with on_stage(home) as stage:
        await asked(stage, home, HOST)
        await ready(stage)
        await sees(stage, "alps as mira: A host that was never seen before", "SHA256:abc [/]␛[31m")
        assert "\x1b" not in shown(stage)
        # Whoever was at something else has answered nothing.
        await stage.press(*"yjkn", "enter")
        await at(stage, RunsPage)
        assert engine(stage).given == []
        await sees(stage, "? asks")
        await stage.press("f2")
        await ready(stage)
        await stage.press("right", "right", "enter")
        await until(stage, lambda: engine(stage).given == [(7, [])])


async def test_a_refusal_is_an_answer(home: Home) -> None:
    async with on_stage(home) as stage:
        await asked(stage, home, HOST)
        await ready(stage)
        await stage.press("tab", "enter")
        await until(stage, lambda: engine(stage).given == [(7, None)])
        await at(stage, RunsPage)


async def test_secrets_are_typed_unseen_and_others_seen(home: Home) -> None:
    async with on_stage(home) as stage:
        await asked(stage, home, CODE)
        await ready(stage)
        await stage.press(*"mira", "enter", *"123456")
        await sees(stage, "Login:", "mira", "Code [b]:", "••••••")
        assert "123456" not in shown(stage)
        await stage.press("enter")
        await until(stage, lambda: engine(stage).given == [(8, ["mira", "123456"])])


async def test_questions_come_one_after_the_other(home: Home) -> None:
    async with on_stage(home) as stage:
        await asked(stage, home, HOST, PHRASE)
        await ready(stage)
        await stage.press("escape")
        await sees(stage, "alps as mira: A key is locked")
        await ready(stage)
        await stage.press(*"open sesame", "enter")
        await until(stage, lambda: engine(stage).given == [(9, ["open sesame"])])
        # What was put off does not come again by itself.
        await at(stage, RunsPage)
        await stage.pause(0.1)
        await at(stage, RunsPage)


async def test_it_comes_up_on_the_screen_of_a_run_too(home: Home) -> None:
    async with on_stage(home, run=RUN) as stage:
        await asked(stage, home, PHRASE)
        await ready(stage)
        assert stage.app.screen_stack[-2].__class__ is RunPage


async def test_while_a_text_is_typed_it_waits_and_is_only_told(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("n", *"cat")
        await asked(stage, home, PHRASE)
        await sees(stage, "alps as mira asks something: F2 shows what.")
        await stage.press(*" {item}")
        await at(stage, LaunchPage)
        assert stage.app.screen.query_one("#field-command", Input).value == "cat {item}"
        await stage.press("f2")
        await ready(stage)
        await stage.press("escape")
        await at(stage, LaunchPage)
        # Put off it stays, until somebody wants it.
        await stage.press("escape")
        await at(stage, RunsPage)
        assert engine(stage).given == []


async def test_it_waits_for_the_end_of_another_dialog(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("c")
        await asked(stage, home, HOST)
        await sees(stage, "Cancel the run", "F2 shows what.")
        await stage.press("escape")
        await ready(stage)


async def test_it_goes_when_somebody_else_has_answered(home: Home) -> None:
    async with on_stage(home) as stage:
        await asked(stage, home, HOST)
        await ready(stage)
        engine(stage).asked.clear()
        tell(home, 0)
        await at(stage, RunsPage)
        assert engine(stage).given == []


async def test_the_numbers_of_another_engine_are_not_those_of_the_one_before(home: Home) -> None:
    async with on_stage(home) as stage:
        await asked(stage, home, HOST)
        await ready(stage)
        await stage.press("escape")
        await at(stage, RunsPage)
        engine(stage).asked.clear()
        tell(home, 0)
        await sees(stage, "○ not tried")
        await stage.pause(0.1)
        await asked(stage, home, replace(PHRASE, id=HOST.id))
        await ready(stage)
        await sees(stage, "A key is locked")


async def test_a_slow_engine_is_waited_for(home: Home) -> None:
    async with on_stage(home) as stage:

        async def slow() -> list[Question]:
            await asyncio.sleep(1.5)
            return [HOST]

        with patch.object(engine(stage), "questions", slow):
            tell(home, 1)
            await ready(stage)


async def test_an_answer_that_comes_too_late_is_told(home: Home) -> None:
    async with on_stage(home) as stage:
        await asked(stage, home, HOST)
        await ready(stage)
        with patch.object(engine(stage), "questions", return_value=[HOST]):
            engine(stage).asked.clear()
            stage.app.screen.query_one("#give", Button).press()
            await sees(stage, "That came too late: the question is not open any more.")


async def test_a_read_only_dashboard_answers_nothing(home: Home) -> None:
    async with on_stage(home, read_only=True) as stage:
        await asked(stage, home, HOST)
        await sees(stage, "? asks")
        await stage.press("f2")
        await sees(stage, "This dashboard is read-only")
        await at(stage, RunsPage)


async def test_without_a_question_the_key_says_so(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("f2")
        await sees(stage, "Nothing is asked at the moment.")


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)])
async def test_every_size_shows_the_whole_question(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, size=size) as stage:
        await asked(stage, home, PHRASE)
        await sees(stage, "Passphrase:", "Unlock", "Refuse", "Later")
