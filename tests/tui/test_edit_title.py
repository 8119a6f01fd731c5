"""What the line above a form says, however narrow the terminal is."""

from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult

from runners.config.documents import Document
from tui.subject import Subject
from tui.widgets.edit_title import EditState, EditTitle

LONG = "uzh-science-cluster-production-2026"


class TitleApp(App[None]):
    """The line alone."""

    def compose(self) -> ComposeResult:
        yield EditTitle()


def state(name: str, profile: str | None = None, *, new: bool = False, **how: bool | int) -> EditState:
    usual: dict[str, Any] = {"changed": True, "errors": 0, "elsewhere": False, "broken": False}
    read = None if new else Document(name, profile, Path("x.json"), b"{}", "0", {}, None)
    return EditState(Subject(name, profile, {}, read), **{**usual, "no_plan": False, **how})


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (state("w", elsewhere=True), ["resource w", "• changed", "! changed elsewhere: F7"]),
        (state("w", errors=4, broken=True), ["resource w", "✗ 4 errors", "! broken JSON: F3"]),
        (state(LONG, errors=1, elsewhere=True), ["resource uzh-sc", "✗ 1 error", "! changed elsewhere: F7"]),
        (state(LONG, "jean-luc.picard", errors=12), ["profile jean-luc.picard", "✗ 12 errors", "• changed"]),
        (state("draftnew", errors=1, broken=True, new=True), ["new", "✗ 1 error", "! broken JSON: F3"]),
        (state("w", no_plan=True), ["• changed, not saved", "! no plan for the sample: F4 tells why"]),
        (state("計算機" * 12, errors=1, elsewhere=True), ["✗ 1 error", "! changed elsewhere: F7"]),
    ],
)
async def test_nothing_that_matters_is_cut_in_80_columns(shown: EditState, said: list[str]) -> None:
    app = TitleApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(EditTitle).show(shown)
        await pilot.pause()
        line = app.screen._compositor.render_strips()[0].text
        assert [part for part in said if part not in line] == [], line


async def test_with_room_it_says_it_in_full() -> None:
    app = TitleApp()
    async with app.run_test(size=(160, 45)) as pilot:
        app.query_one(EditTitle).show(state(LONG, "mira", errors=2, elsewhere=True))
        await pilot.pause()
        line = app.screen._compositor.render_strips()[0].text
        assert line.strip() == (
            f"profile mira of {LONG}   • changed, not saved   ✗ 2 errors   "
            "! the file was changed elsewhere: F7 shows how"
        )
