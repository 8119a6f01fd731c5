"""The difference before saving has all the room that there is, and its buttons stay in view."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui import stores
from tests.tui.stage import at, make_home, on_stage
from tui.screens.choose import Choice
from tui.screens.difference import Difference

SAVE = Choice("save", "Save", "Write it")


@pytest.mark.parametrize("size", [(80, 24), (160, 45), (40, 10)])
@pytest.mark.parametrize("more", ["", "Whatever is said above. " * 9])
async def test_no_line_of_the_screen_is_wasted(tmp_path: Path, size: tuple[int, int], more: str) -> None:
    home = make_home(tmp_path / "home", stores.typical)
    async with on_stage(home, size=size) as stage:
        stage.app.push_screen(Difference("Save?", ["+ line"] * 100, [SAVE], more=more))
        await at(stage, Difference)
        await stage.pause()
        frame, lines, buttons = (
            stage.app.screen.query_one(name).region for name in ("#difference", "#lines", "#answers")
        )
        # A line of what is below on either side, the border, one above the buttons, and they.
        assert frame.height == size[1] - 2
        assert lines.height == size[1] - 6
        assert buttons.bottom == frame.bottom - 1
