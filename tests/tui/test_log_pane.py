"""The log of a task on a line that breaks: what is shown stays, and it goes on by itself."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from runners.batches import LogChunk
from runners.engine.client import EngineError
from runners.states import State
from tests.tui.test_task_words import TASK
from tui.log_follow import Read
from tui.widgets import log_pane
from tui.widgets.log_pane import LogPane


class Line:
    """A log that can be out of reach."""

    def __init__(self) -> None:
        self.data = b""
        self.trouble = ""

    def reader(self, _: int) -> Read:
        async def read(offset: int, limit: int) -> LogChunk:
            if self.trouble:
                raise EngineError(self.trouble)
            start = max(0, len(self.data) + offset) if offset < 0 else offset
            return LogChunk(self.data[start : start + limit], start, len(self.data))

        return read


class LogApp(App[None]):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def compose(self) -> ComposeResult:
        yield LogPane(self._line.reader)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not happen")


async def test_a_followed_log_goes_on_after_the_line_was_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_pane, "_AGAIN_S", 0.05)
    line = Line()
    line.data = b"one\ntwo\n"
    async with LogApp(line).run_test() as pilot:
        pane = pilot.app.query_one(LogPane)
        pane.follow(replace(TASK, state=State.RUNNING, ended=None), "P1")
        await until(pilot, lambda: pane.view.line_count == 2)
        line.trouble = "The host is gone."
        await until(pilot, lambda: pane.trouble == line.trouble)
        assert pane.view.line_count == 2, "what was shown is gone"
        line.trouble, line.data = "", line.data + b"three\n"
        await until(pilot, lambda: pane.view.line_count == 3)
        assert not pane.trouble


async def test_why_there_is_nothing_to_show_as_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_pane, "_AGAIN_S", 0.05)
    line = Line()
    line.trouble = "The host asks something."
    async with LogApp(line).run_test() as pilot:
        pane = pilot.app.query_one(LogPane)
        pane.follow(replace(TASK, log_bytes=4), "P1")
        await until(pilot, lambda: line.trouble in pane.view.line(0).pieces[0][0])
        line.trouble, line.data = "", b"one\n"
        await until(pilot, lambda: pane.view.line_count == 1)
