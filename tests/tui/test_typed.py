"""What is pasted into any line that can be typed in: drawn harmless, and kept as it was."""

import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from runners.config.home import Home
from runners.transport.questions import Kind, Prompt, Question
from tests.tui import check_story, slurm_story, stores
from tests.tui.stage import Logs, Stage, at, make_home, on_stage, sees, shown, until
from tui.dashboard import Dashboard
from tui.messages import OpenField
from tui.screens.ask import Ask
from tui.screens.edit import EditPage
from tui.screens.launch import LaunchPage
from tui.screens.line import AskLine
from tui.screens.palette import Palette
from tui.text import LONGEST
from tui.theme import DARK
from tui.widgets.typed import Typed

KEPT = "a\x1b[2J\x07b\u202ec"
PASTED = f"{KEPT}\nmore"
"""Clears the screen, rings, and turns what comes after it; a paste ends where its first line does."""
DRAWN = "a␛[2J␇b\ufffdc"
CLIPPED = "d\ne\x1bf"
"""What was copied in the dashboard keeps its lines."""
ALL = f"{DRAWN}d␊e␛f"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home", slurm_story.clusters)
    check_story.add_alps(home)
    return home


def engine(stage: Stage) -> Logs:
    assert isinstance(stage.app, Dashboard) and isinstance(stage.app.client, Logs)
    return stage.app.client


async def to_filter(stage: Stage) -> None:
    await stage.press("slash")


async def to_launch(stage: Stage) -> None:
    await stage.press("n")
    await at(stage, LaunchPage)


async def to_palette(stage: Stage) -> None:
    await stage.press("ctrl+p")
    await at(stage, Palette)


async def to_line(stage: Stage) -> None:
    stage.app.push_screen(AskLine("Name", about="What is it called?"))
    await at(stage, AskLine)


async def to_code(stage: Stage) -> None:
    await ask(stage, Question(1, "alps", Kind.CODE, "It asks.", (Prompt("Login:", True),)))


async def ask(stage: Stage, question: Question) -> None:
    engine(stage).asked.append(question)
    await stage.press("f2")
    await at(stage, Ask)


async def to_field(stage: Stage) -> None:
    stage.app.post_message(OpenField("local", None, "tasks_local_dir"))
    await at(stage, EditPage)
    page = stage.app.screen
    assert isinstance(page, EditPage)
    await until(stage, lambda: page.form.path == ("tasks_local_dir",) and page.form.has_focus_within)


PLACES = [to_filter, to_launch, to_palette, to_line, to_code, to_field]


async def typing(stage: Stage) -> Input:
    """The line that has the focus, emptied."""
    await until(stage, lambda: isinstance(stage.app.focused, Input))
    line = stage.app.focused
    assert isinstance(line, Input)
    await stage.press("end", "ctrl+u")
    await until(stage, lambda: line.value == "")
    return line


def acting(text: str) -> set[str]:
    """The characters of a text, but its line breaks, that act instead of showing."""
    return {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}


@pytest.mark.parametrize("go", PLACES)
async def test_what_is_pasted_is_drawn_harmless_and_kept(
    home: Home, go: Callable[[Stage], Awaitable[None]]
) -> None:
    async with on_stage(home) as stage:
        await go(stage)
        line = await typing(stage)
        stage.app.post_message(events.Paste(PASTED))
        await until(stage, lambda: line.value == KEPT)
        # The palette makes its line itself, of a text that has lost its bell already.
        drawn = ALL if isinstance(line, Typed) else ALL.replace("␇", "")
        await sees(stage, drawn.partition("d␊")[0])
        assert acting(shown(stage)) == set()
        stage.app.copy_to_clipboard(CLIPPED)
        await stage.press("ctrl+v")
        await sees(stage, drawn)
        assert line.value == KEPT + CLIPPED
        assert acting(shown(stage)) == set()


async def test_a_secret_is_neither_drawn_nor_changed(home: Home) -> None:
    question = Question(1, "alps", Kind.PASSPHRASE, "It is locked.", (Prompt("Passphrase:", False),))
    async with on_stage(home) as stage:
        await ask(stage, question)
        line = await typing(stage)
        stage.app.post_message(events.Paste("日\x1bk"))
        await sees(stage, "•••")
        assert "••••" not in shown(stage) and acting(shown(stage)) == set()
        assert not {"日", "k\n", "␛"} & set(shown(stage))
        # A wide character takes no more room than its dot.
        assert line.cursor_screen_offset.x == line.content_region.x + 4
        await stage.press("enter")
        await until(stage, lambda: engine(stage).given == [(1, ["日\x1bk"])])


async def test_a_filter_fits_what_was_pasted_and_says_it_harmlessly_where_nothing_fits(
    tmp_path: Path,
) -> None:
    async with on_stage(make_home(tmp_path / "home", stores.hostile), size=(120, 30)) as stage:
        await stage.press("slash")
        line = await typing(stage)
        stage.app.post_message(events.Paste("name:\x1b[31mred"))
        await sees(stage, "Runs  1 of ", "/ name:␛[31mred", "␛[31mred␛[0m")
        line.value = ""
        stage.app.post_message(events.Paste("nam\u202ee:\x07x"))
        await sees(stage, "No run fits the filter.")
        assert acting(shown(stage)) == set()


class Hints(App[None]):
    """One line, with hints and names that come from a file."""

    def compose(self) -> ComposeResult:
        yield Typed(placeholder="e.g. \x1b[2J", suggestions=("evil\x1b[2J", "every"))

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name


async def test_hints_and_names_are_harmless_too() -> None:
    app = Hints()
    async with app.run_test(size=(40, 4)) as pilot:
        line = app.query_one(Typed)
        assert line.render_line(0).text.startswith("e.g. ␛[2J")
        await pilot.press("E", "v")
        for _ in range(100):
            await pilot.pause()
            if line._suggestion:
                break
        assert line.render_line(0).text.startswith("Every")
        await pilot.press("i")
        await pilot.pause()
        await pilot.pause()
        assert line.render_line(0).text.strip() == "Evi"


async def test_of_a_value_without_end_only_the_beginning_is_drawn_and_all_is_kept() -> None:
    app = Hints()
    async with app.run_test(size=(40, 4)) as pilot:
        line = app.query_one(Typed)
        line.value = "é\x1b" * 100_000
        await pilot.press("end", "x")
        await pilot.pause()
        assert line.value == "é\x1b" * 100_000 + "x"
        assert line.virtual_size.width <= LONGEST + 1
        assert line.render_line(0).text.rstrip().endswith("…")
        await pilot.press("home", "y")
        await pilot.pause()
        assert line.render_line(0).text.startswith("yé␛é␛")
