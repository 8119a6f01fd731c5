"""One run: its tasks, its batches with their live slots, and the log of a task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane

from runners.store.rows import RunRow
from tui import intents
from tui.feed import Picture, RunPicture
from tui.messages import OpenRun
from tui.screens.page import Page
from tui.widgets.run_head import RunHead, why_of
from tui.widgets.tasks_pane import TasksPane


class RunPage(Page):
    """The screen of one run."""

    CSS_PATH = "run.tcss"
    HELP_TITLE = "Run"
    ABOUT = (
        "One run: a command applied to a list of items. Each item is a task; tasks run in slots of a batch."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "back", id="run.back", tooltip="Back to the runs"),
        Binding("1", "tab('tasks')", "tasks", id="run.tasks", show=False, tooltip="The tasks"),
        Binding(
            "2",
            "tab('batches')",
            "batches",
            id="run.batches",
            show=False,
            tooltip="The batches and their slots",
        ),
        Binding("3", "tab('log')", "log", id="run.log", show=False, tooltip="The log of the chosen task"),
        Binding(
            "enter", "log", "log", id="run.open_log", tooltip="Show the log of the task under the cursor"
        ),
        Binding(
            "f",
            "next_filter",
            "by state",
            id="run.states",
            tooltip="Show all tasks, the failed, the running, …",
        ),
        Binding(
            "slash",
            "filter",
            "filter",
            id="run.filter",
            tooltip="Show some tasks only: words, state:failed, reason:x, item:x",
        ),
        Binding(
            "r",
            "retry",
            "retry",
            id="run.retry",
            tooltip="Run the failed and unfinished tasks again, as a new run",
        ),
        Binding("c", "cancel", "cancel", id="run.cancel", tooltip="Cancel the run, after a question"),
        Binding(
            "x",
            "cancel_task",
            "cancel task",
            id="run.cancel_task",
            tooltip="Cancel the task under the cursor, after a question",
        ),
        Binding(
            "y", "copy", "copy id", show=False, id="run.copy", tooltip="Copy the run's id to the clipboard"
        ),
    ]

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run
        self.watches = run
        self._row: RunRow | None = None
        self._picture = RunPicture(run)
        self._why = ("", -1)

    def compose_body(self) -> Iterable[Widget]:
        """Head and tabs."""
        yield RunHead()
        with TabbedContent(id="tabs"):
            with TabPane("Tasks", id="tasks"):
                yield TasksPane()
            with TabPane("Batches", id="batches"):
                yield from ()
            with TabPane("Log", id="log"):
                yield from ()

    def on_mount(self) -> None:
        """The keys go to the tasks."""
        self._tasks.table.focus()

    def show(self, picture: Picture) -> None:
        """Bring head and tabs up to date."""
        self._row = picture.runs.get(self.run)
        if picture.run is not None and picture.run.run == self.run:
            self._picture = picture.run
        if self._row is None:
            return
        now = self.dashboard.now()
        self._head(self._row, now)
        self._tasks.show(self._picture, now)

    def tick(self) -> None:
        """Elapsed times, while something runs."""
        if self._row is not None and not self._row.state.final:
            now = self.dashboard.now()
            self._head(self._row, now)
            self._tasks.tick(now)

    def _head(self, row: RunRow, now: float) -> None:
        self.query_one(RunHead).show(row, why_of(row, self._picture.steps, self._picture.tasks.values()), now)

    def action_back(self) -> None:
        """To the runs."""
        self.dismiss()

    def action_filter(self) -> None:
        """Type a filter."""
        self._tasks.filter()

    def action_next_filter(self) -> None:
        """Other states."""
        self._tasks.next_filter()

    def action_retry(self) -> None:
        """Run again what failed, and look at that."""
        if self._row is not None:
            intents.retry_run(self.dashboard, self._row, then=lambda new: self.post_message(OpenRun(new)))

    def action_cancel(self) -> None:
        """Cancel the run."""
        if self._row is not None:
            intents.cancel_run(self.dashboard, self._row)

    def action_cancel_task(self) -> None:
        """Cancel the task under the cursor."""
        task = self._tasks.chosen
        if self._row is not None and task is not None:
            intents.cancel_task(self.dashboard, self._row, task)

    def action_copy(self) -> None:
        """Copy the id."""
        self.app.copy_to_clipboard(self.run)
        self.dashboard.tell(f"The id {self.run} is on the clipboard.")

    @property
    def _tasks(self) -> TasksPane:
        return self.query_one(TasksPane)
