"""The log of one task, followed while it grows."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from runners.states import State
from runners.store.rows import TaskRow
from tui.log_follow import Read, follow
from tui.signs import sign
from tui.text import plain
from tui.widgets.log_view import LogView

_STYLE = {
    State.RUNNING: "$text-primary",
    State.DONE: "$text-success",
    State.FAILED: "$text-error",
    State.UNKNOWN: "$text-warning",
}


class LogPane(Vertical):
    """Says whose log it is, and shows it."""

    DEFAULT_CSS = """
    LogPane {
        & > #log-title { height: 1; padding: 0 1; }
        & > LogView { height: 1fr; padding: 0; }
    }
    """

    def __init__(self, reader: Callable[[int], Read]) -> None:
        """*reader* gives, for a task's index, what reads its log."""
        super().__init__()
        self._reader = reader
        self._task_row: TaskRow | None = None
        self._following: Worker[None] | None = None
        self._title = Content()

    def compose(self) -> ComposeResult:
        """Title and log."""
        yield Static(id="log-title", markup=False)
        yield LogView(empty="No task is chosen.")

    @property
    def view(self) -> LogView:
        """The log itself."""
        return self.query_one(LogView)

    def follow(self, task: TaskRow | None) -> None:
        """Follow the log of *task* from now on."""
        self.stop()
        self._task_row = task
        self._say()
        if task is None:
            self.view.reset(empty="No task is chosen.")
        elif task.state is State.PENDING or (task.state is State.CANCELLED and task.started is None):
            self.view.reset(empty="This task has not started: there is no log.")
        elif task.state.final and not task.log_bytes:
            self.view.reset(empty="This task has said nothing: its log is empty.")
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
            self.follow(task)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Why there is no log is said where it would be."""
        if event.state is WorkerState.ERROR:
            self.view.reset(empty=str(event.worker.error))

    async def _follow(self, index: int) -> None:
        await follow(self._reader(index), self.view, self._over)

    def _over(self) -> bool:
        return self._task_row is None or self._task_row.state.final

    def _say(self) -> None:
        task = self._task_row
        title = Content()
        if task is not None:
            shown = sign(task.state)
            reason = f": {plain(task.reason, 200)}" if task.reason and task.reason != task.state else ""
            title = Content.assemble(
                (f"task {task.index} ", "bold"),
                (f"{shown.glyph} {shown.word}{reason}", _STYLE.get(task.state, "$foreground 60%")),
                "  ",
                (plain(task.item), "$foreground 60%"),
            )
        if title != self._title:
            self._title = title
            self.query_one("#log-title", Static).update(title)
