"""The command log: what was run on clusters, with replies that nobody should trust."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from runners.config.home import Home
from runners.store.writer import Writer
from runners.transport.records import CommandRecord
from tests.tui import slurm_story, stores
from tests.tui.slurm_story import ALPS
from tests.tui.stage import Stage, at, make_home, on_stage, sees, shown, until
from tests.tui.stores import T0
from tui.command_words import place_words
from tui.dashboard import Dashboard
from tui.screens.command_log import CommandLogPage
from tui.screens.command_reply import CommandReply
from tui.screens.runs import RunsPage
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, slurm_story.clusters)


def table(stage: Stage) -> VirtualTable:
    return stage.app.screen.query_one("#command-table", VirtualTable)


def add(home: Home, *commands: CommandRecord) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.add_commands(commands)
    writer.close()


def ran(command: str, *, code: int | None = 0, out: str = "", err: str = "") -> CommandRecord:
    return CommandRecord(T0, ALPS, command, code, 0.01, out, err)


async def test_the_key_leads_to_it_and_escape_back(home: Home) -> None:
    async with on_stage(home, size=(120, 34)) as stage:
        await stage.press("L")
        await at(stage, CommandLogPage)
        await sees(stage, "Commands  11  following", "✗ exit 1", "sbatch: error: Batch job")
        await sees(stage, "✓ done  read 3 files, 2.1 kB", "took 5 ms", "said nothing")
        # Where one is already it leads nowhere.
        await stage.press("L", "escape")
        await at(stage, RunsPage)
        assert stage.app.screen_stack[-1] is stage.app.screen


async def test_the_store_is_asked_for_commands_only_as_long_as_they_are_shown(home: Home) -> None:
    async with on_stage(home) as stage:
        dashboard = stage.app
        assert isinstance(dashboard, Dashboard) and dashboard.picture.commands == ()
        await stage.press("L")
        await until(stage, lambda: len(dashboard.picture.commands) == 11)
        await stage.press("escape")
        await until(stage, lambda: dashboard.picture.commands == ())


async def test_the_cursor_follows_the_newest_until_it_is_moved(home: Home) -> None:
    async with on_stage(home, size=(120, 34)) as stage:
        await stage.press("L")
        await sees(stage, "following")
        add(home, ran("squeue --one"))
        await sees(stage, "✓ done  squeue --one")
        await stage.press("up", "up")
        await until(stage, lambda: "following" not in shown(stage))
        before = table(stage).cursor_key
        add(home, ran("squeue --two"))
        await sees(stage, "Commands  13")
        assert table(stage).cursor_key == before
        await stage.press("f")
        await sees(stage, "✓ done  squeue --two", "following")


async def test_what_is_not_kept_any_longer_goes(home: Home) -> None:
    async with on_stage(home, size=(120, 34)) as stage:
        await stage.press("L")
        await sees(stage, "Commands  11")
        add(home, *(ran(f"squeue --{number}") for number in range(4_995)))
        await sees(stage, "Commands  5,000", "✓ done  squeue --4994")


async def test_a_filter_finds_what_failed_and_where(home: Home) -> None:
    async with on_stage(home, size=(120, 34)) as stage:
        await stage.press("L", "slash", *"state:failed", "enter")
        await sees(stage, "1 of 11", "✗ exit 1  sbatch --parsable < 79903 bytes")
        await stage.press("slash")
        stage.app.screen.query_one(Input).value = "place:etna state:unknown"
        await sees(stage, "1 of 11", "? no answer")
        stage.app.screen.query_one(Input).value = "reply:[bold]etna"
        await sees(stage, "1 of 11", "␛[31mWelcome to [bold]etna[/]␛[0m")
        stage.app.screen.query_one(Input).value = "comand:x"
        await sees(stage, "No command fits the filter.", "did you mean command:?")
        await stage.press("escape", "escape")
        await at(stage, RunsPage)


async def test_a_whole_reply_is_shown_and_acts_on_nothing(home: Home) -> None:
    reply = "first [/]\n\x1b[2J\x1b]0;title\x07\n" + "\n".join(f"line {number}" for number in range(60))
    add(home, ran("scontrol '[red]x'", code=-9, out=reply, err="\u202egnp"))
    async with on_stage(home) as stage:
        await stage.press("L", "enter")
        await at(stage, CommandReply)
        await sees(stage, "scontrol '[red]x'", "✗ signal 9 after 10 ms", "first [/]", "␛[2J␛]0;title␇")
        await stage.press(*["pagedown"] * 8)
        await sees(stage, "line 59", "standard error", "\ufffdgnp")
        assert "\x1b" not in shown(stage) and "\u202e" not in shown(stage)
        await stage.press("escape")
        await at(stage, CommandLogPage)


async def test_without_clusters_it_says_what_it_is_for(tmp_path: Path) -> None:
    async with on_stage(make_home(tmp_path, stores.typical)) as stage:
        await stage.press("L")
        await sees(stage, "No command has been run on a cluster yet.")
        await stage.press("enter", "f", "y", "slash", "escape", "escape")
        await at(stage, RunsPage)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
async def test_every_size_shows_result_and_command(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, size=size) as stage:
        await stage.press("L")
        await sees(stage, "✓ done", "read 3 files")


async def test_the_palette_and_the_help_know_it(home: Home) -> None:
    async with on_stage(home, size=(100, 50)) as stage:
        await stage.press("ctrl+p", *"command log")
        await sees(stage, "Command log")
        await stage.press("down", "enter")
        await at(stage, CommandLogPage)
        await stage.press("question_mark")
        await sees(stage, "Help: Command log", "Go to the newest, and stay there")


@pytest.mark.parametrize("place", ["ssh:me@host (/home/me/.ssh/key (old))", "ssh:me@host"])
def test_where_a_command_was_run_is_told_without_the_key(place: str) -> None:
    assert place_words(place) == "ssh:me@host"
