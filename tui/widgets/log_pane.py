"""The log of one task, followed while it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.worker import Worker, WorkerState

from runners.batches import LogChunk
from runners.engine.client import EngineError
from runners.states import State
from runners.store.rows import TaskRow
from tui.log_follow import Read, follow
from tui.signs import sign
from tui.text import fit, plain, width_of
from tui.widgets.line_view import Piece
from tui.widgets.log_view import LogView
from tui.widgets.piece_line import MARGIN, PieceLine

_AGAIN_S: Final = 2.0
"""Until a log that can't be read is tried again."""


class LogPane(Vertical):
    """Says whose log it is, and shows it."""

    DEFAULT_CSS = """
    LogPane {
        & > LogView { height: 1fr; padding: 0; }
    }
    """

    def __init__(self, reader: Callable[[int], Read]) -> None:
        """*reader* gives, for a task's index, what reads its log."""
        super().__init__()
        self._reader = reader
        self._task_row: TaskRow | None = None
        self._following: Worker[None] | None = None
        self._item = ""
        self.trouble = ""
        """Why the log can't be read at the moment."""

    def compose(self) -> ComposeResult:
        """Title and log."""
        yield PieceLine(id="log-title")
        yield LogView(empty="No task is chosen.")

    @property
    def view(self) -> LogView:
        """The log itself."""
        return self.query_one(LogView)

    def follow(self, task: TaskRow | None, item: str) -> None:
        """Follow the log of *task*, which is about this *item*, from now on."""
        self.stop()
        self._task_row, self._item, self.trouble = task, item, ""
        self._say()
        if task is None:
            self.view.reset(empty="No task is chosen.")
        elif task.state is State.PENDING or (task.state is State.CANCELLED and task.started is None):
            self.view.reset(empty="This task has not started: there is no log.")
        elif task.state.final and not task.log_bytes:
            self.view.reset(empty="This task has said nothing: its log is empty.")
            self.view.finish()
        else:
            self.view.reset(empty="No output yet.")
            self._following = self.run_worker(self._follow(task.index), group="log", exit_on_error=False)

    def stop(self) -> None:
        """Follow nothing."""
        if self._following is not None:
            self._following.cancel()
            self._following = None

    def show(self, task: TaskRow | None) -> None:
        """Take in how the task is by now."""
        before = self._task_row
        if task is None or before is None or task.index != before.index:
            return
        self._task_row = task
        self._say()
        if before.state is State.PENDING and task.state is not State.PENDING:
            self.follow(task, self._item)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Why there is no log is said where it would be."""
        if event.state is WorkerState.ERROR:
            self.view.reset(empty=str(event.worker.error))

    async def _follow(self, index: int) -> None:
        reader = self._reader(index)

        async def read(offset: int, limit: int) -> LogChunk:
            chunk = await reader(offset, limit)
            self._tell("")
            return chunk

        while True:
            try:
                await follow(read, self.view, self._over)
                break
            except EngineError as error:
                # A line that is down comes back; what is shown already stays meanwhile.
                self._tell(str(error))
                await asyncio.sleep(_AGAIN_S)
        self.view.finish()

    def _tell(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            if trouble and not self.view.line_count:
                self.view.reset(empty=trouble)
            self._say()

    def _over(self) -> bool:
        return self._task_row is None or self._task_row.state.final

    def on_resize(self) -> None:
        """More of the item, or less."""
        self._say()

    def _say(self) -> None:
        task = self._task_row
        pieces: list[Piece] = []
        if task is not None:
            shown = sign(task.state)
            reason = plain(task.reason, 200) if task.reason != task.state else ""
            if self.trouble and self.view.line_count:
                reason = f"as of before: {plain(self.trouble, 200)}"
            pieces = [
                (f"{shown.glyph} task {task.index} {shown.word}", shown.style),
                ("  item ", "muted"),
            ]
            room = self.size.width - 2 * MARGIN - sum(width_of(text) for text, _ in pieces)
            # The item before all else, and of that its end.
            pieces += [(fit(plain(self._item), room, "end"), None), (f"  {reason}", shown.style)]
        self.query_one(PieceLine).show(pieces)
