"""Keys that arrive all at once do what they would have done one by one."""

import asyncio
from unittest.mock import patch

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from tests.tui.form_stage import DEFAULT, GPU, PYTHON, form_stage
from tui import key_order
from tui.forms.spec import Path
from tui.key_order import InOrder

LINES: Path = (*DEFAULT, "extra_lines")
OLD = ["module load a", "module load b", "module load c"]


async def test_what_is_typed_after_a_move_goes_where_it_moved() -> None:
    async with form_stage() as stage:
        await stage.go_to(("name",))
        order = [row.path for row in stage.rows]
        at = order.index(("name",))
        await stage.burst("down", "down", "up", "Z", "end", "Y")
        assert stage.focused == order[at + 1]
        assert stage.draft.raw(("name",)) == "hpc" and stage.input.value.endswith("ZY")


async def test_tab_and_what_is_typed_then() -> None:
    async with form_stage() as stage:
        await stage.go_to(("name",))
        order = [row.path for row in stage.rows]
        await stage.burst("tab", "Q")
        assert stage.draft.raw(("name",)) == "hpc" and stage.input.value.endswith("Q")
        assert stage.focused == order[order.index(("name",)) + 1]


async def test_keys_in_a_line_keep_their_order() -> None:
    async with form_stage() as stage:
        await stage.go_to(("name",))
        await stage.burst("home", "Y", "end", "X", "left", "backspace", "c", "c", "delete", "1")
        assert stage.draft.raw(("name",)) == "Yhpcc1"


async def test_a_line_that_is_added_gets_what_is_typed_then() -> None:
    async with form_stage() as stage:
        await stage.go_to((*LINES, 2))
        await stage.burst("enter", "a", "b", "enter", "c", "up", "d")
        assert stage.draft.raw(LINES) == [*OLD, "abd", "c"]
        await stage.burst("ctrl+l", "end", "e")
        assert stage.draft.raw(LINES) == [*OLD, "ce"]


async def test_entries_of_a_map() -> None:
    versions: Path = (*PYTHON, "versions")
    async with form_stage() as stage:
        await stage.go_to(versions)
        await stage.burst("enter", "3", ".", "9", "enter", "/", "x", "enter", "4", "enter", "/", "y")
        document = stage.draft.document
        assert isinstance(document, dict)
        assert document["tasks_python_config"]["versions"] == {
            "3.12": "/usr/bin/python3.12",
            "3.9": "/x",
            "4": "/y",
        }


async def test_a_group_that_is_added_and_another_section() -> None:
    async with form_stage() as stage:
        await stage.go_to(GPU)
        await stage.burst("space", "down", "g", "f6", "9")
        assert stage.draft.raw((*GPU, "partition")) == "g"
        assert stage.draft.raw(("jobs_runner_config", "batching_config", "target_num_jobs")) == 109


async def test_undo_takes_back_what_was_just_typed() -> None:
    async with form_stage() as stage:
        await stage.go_to(("name",))
        await stage.burst("a", "ctrl+z", "b")
        assert stage.draft.raw(("name",)) == "hpcb"


async def test_a_paste_keeps_its_place() -> None:
    async with form_stage() as stage:
        await stage.go_to(("name",))
        stage.app.post_message(events.Key("home", None))
        stage.app.post_message(events.Paste("pasted"))
        await stage.burst("!")
        assert stage.draft.raw(("name",)) == "pasted!hpc"


class Deaf(Input):
    """Not done with a key before the test is."""

    async def on_key(self, event: events.Key) -> None:
        await self.app.query_one(TheEnd).come.wait()


class TheEnd(Widget):
    def __init__(self) -> None:
        super().__init__()
        self.come = asyncio.Event()


class TwoLines(InOrder[None]):
    def compose(self) -> ComposeResult:
        yield Deaf(id="deaf")
        yield Input(id="other")
        yield TheEnd()


async def test_a_widget_that_is_never_done_does_not_lock_the_keyboard() -> None:
    with patch.object(key_order, "PATIENCE_S", 0.01):
        app = TwoLines()
        async with app.run_test() as pilot:
            app.post_message(events.Key("x", "x"))
            await asyncio.sleep(0.02)
            other = app.query_one("#other", Input)
            app.screen.set_focus(other)
            app.post_message(events.Key("y", "y"))
            for _ in range(500):
                if other.value:
                    break
                await asyncio.sleep(0.01)
            assert other.value == "y"
            app.query_one(TheEnd).come.set()
            await pilot.pause()
