"""The Resources screen of a home that nobody has used yet."""

from __future__ import annotations

import shutil
from pathlib import Path

from runners.config.home import Home
from runners.config.places import LOCAL
from tests.tui.stage import at, on_stage, sees
from tui.screens.resources import ResourcesPage


async def test_this_machine_is_there_from_the_start(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    async with on_stage(home) as stage:
        await stage.press("R")
        await at(stage, ResourcesPage)
        await sees(stage, LOCAL, "this machine", "✓ valid")
        # Whoever removes it in here has it removed.
        shutil.rmtree(home.resources / LOCAL)
        page = stage.app.screen
        assert isinstance(page, ResourcesPage)
        page.look()
        await sees(stage, "There is no resource. n makes one")
        assert not (home.resources / LOCAL).exists()


async def test_who_only_looks_makes_nothing(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    async with on_stage(home, read_only=True) as stage:
        await stage.press("R")
        await sees(stage, "There is no resource.")
        assert not (home.resources / LOCAL).exists()
