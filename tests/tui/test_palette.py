"""The command palette: resources by name, from any screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.config.home import Home
from tests.clusters import add_cluster
from tests.tui import slurm_story
from tests.tui.stage import Stage, at, make_home, on_stage, sees, until
from tui.screens.check import CheckPage
from tui.screens.edit import EditPage
from tui.screens.palette import Palette
from tui.screens.resources import ResourcesPage
from tui.screens.runs import RunsPage
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home", slurm_story.clusters)
    add_cluster(home, "alps", "slurm_ssh", host="login.alps.example")
    add_cluster(home, "uzh", "slurm_sudo")
    return home


async def chosen(stage: Stage, text: str, name: str) -> None:
    """That is typed, and the first that fits is taken, which has this name."""
    await stage.press("ctrl+p")
    await at(stage, Palette)
    await stage.press(*text)
    await sees(stage, name)
    await stage.press("down", "enter")


async def test_a_resource_is_found_by_its_name(home: Home) -> None:
    async with on_stage(home) as stage:
        await at(stage, RunsPage)
        await stage.press("ctrl+p")
        await stage.press(*"uzh")
        await sees(stage, "Go to resource uzh", "Check uzh", "Edit resource uzh", "Check uzh as me")
        await stage.press("escape")
        await chosen(stage, "go to resource uzh", "Go to resource uzh")
        await at(stage, ResourcesPage)
        table = stage.app.screen.query_one(VirtualTable)
        await until(stage, lambda: table.cursor_key == "uzh")
        # The page that is there.
        await chosen(stage, "go to resource alps", "Go to resource alps")
        await until(stage, lambda: table.cursor_key == "alps")


async def test_what_can_be_done_with_it_is_a_word_away(home: Home) -> None:
    async with on_stage(home) as stage:
        await chosen(stage, "edit uzh", "Edit resource uzh")
        await at(stage, EditPage)
        await sees(stage, "uzh")
        await stage.press("escape")
        await chosen(stage, "check alps", "Check alps")
        await at(stage, CheckPage)
        await sees(stage, "alps as me")
        # The page that is open checks another one.
        await chosen(stage, "check uzh", "Check uzh")
        await at(stage, CheckPage)
        await sees(stage, "uzh as me")


async def test_what_can_not_be_read_keeps_no_command_away(home: Home) -> None:
    resources = home.resources
    resources.rename(resources.with_name("elsewhere"))
    resources.write_text("")
    async with on_stage(home) as stage:
        await stage.press("ctrl+p")
        await stage.press(*"resources")
        await sees(stage, "Where work can run and as whom")
