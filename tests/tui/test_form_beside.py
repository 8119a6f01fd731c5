"""What stands beside a form: the fields of the sample."""

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from tui.theme import DARK
from tui.widgets.beside import Beside, Pane


class BesideApp(App[None]):
    CSS = "#sample { height: 1; Input { width: 20; } Label { width: auto; } }"

    def compose(self) -> ComposeResult:
        yield Beside()

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name


async def test_what_is_pasted_into_the_sample_is_drawn_harmless() -> None:
    async with BesideApp().run_test(size=(120, 24)) as pilot:
        beside = pilot.app.query_one(Beside)
        beside.turn_to(Pane.PLAN)
        beside.focus_pane()
        await pilot.pause()
        # The whole of it is chosen, so that it is replaced.
        pilot.app.post_message(events.Paste("7\x1b[2J\u202e"))
        await pilot.pause()
        await pilot.pause()
        assert pilot.app.query_one("#sample-tasks", Input).value == "7\x1b[2J\u202e"
        assert beside.sample.tasks == "7\x1b[2J\u202e"
        text = "\n".join(line.text for line in pilot.app.screen._compositor.render_strips())
        assert "7␛[2J\ufffd" in text and "\x1b" not in text and "\u202e" not in text
        assert "as set" in text


async def test_who_is_in_a_pane_is_in_the_one_that_is_clicked_on() -> None:
    async with BesideApp().run_test(size=(120, 24)) as pilot:
        beside = pilot.app.query_one(Beside)
        beside.focus_pane()
        await pilot.pause()
        for pane, cell, inside in (
            (Pane.PLAN, 11, "#sample-tasks"),
            (Pane.SCRIPT, 21, "#pane-script"),
            (Pane.JSON, 3, "TextArea"),
        ):
            assert await pilot.click("#pane-bar", offset=(cell, 0))
            await pilot.pause()
            assert beside.pane is pane
            assert beside.query_one(inside).has_focus
        # Nobody is taken there.
        pilot.app.screen.set_focus(None)
        await pilot.click("#pane-bar", offset=(11, 0))
        await pilot.pause()
        assert beside.pane is Pane.PLAN and pilot.app.focused is None
