"""One run: its tasks, its batches with their live slots, and the log of a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane

from runners.config.units import MEMORY_FLOOR_MB
from runners.explanation import Explanation, Need
from runners.store.rows import BatchRow, RunRow, TaskRow
from tui import intents
from tui.explaining import RunAdvice, Shared, advice_for_run, explain_waiting
from tui.feed import Picture, RunPicture
from tui.item_words import item_words
from tui.messages import OpenRun, OpenRuns
from tui.pace import Load
from tui.screens.page import Page
from tui.standing import unseen_words
from tui.text import plain
from tui.widgets.paragraphs import Passage
from tui.widgets.run_head import RunHead, why_of
from tui.widgets.task_detail import TaskDetail
from tui.widgets.tasks_pane import TasksPane

if TYPE_CHECKING:
    from runners.batches import LogChunk
    from tui.log_follow import Read
    from tui.widgets.batches_pane import BatchesPane
    from tui.widgets.log_pane import LogPane
    from tui.widgets.paragraph_view import ParagraphView


class RunPage(Page):
    """The screen of one run."""

    CSS_PATH = "run.tcss"
    CHANGES = frozenset({"retry", "cancel", "cancel_task", "cancel_batch"})
    NAMES: ClassVar[Mapping[str, str]] = {
        "back": "Back to the runs",
        "tab('tasks')": "Show the tasks",
        "tab('batches')": "Show the batches",
        "tab('log')": "Show the log of the task",
        "next_filter": "Show the tasks of one state",
        "filter": "Filter the tasks",
        "retry": "Retry what failed of the run",
        "cancel": "Cancel the run",
        "cancel_task": "Cancel the task",
        "cancel_batch": "Cancel the batch",
        "next_failed(-1)": "Show the log of the previous failed task",
        "next_failed(1)": "Show the log of the next failed task",
        "whole": "Show all that is known of the task or batch",
        "copy": "Copy the run's id",
    }
    HELP_TITLE = "Run"
    ABOUT = (
        "One run: a command applied to a list of items. Each item is a task; tasks run in slots of a batch. "
        "Memory is the most that a task held: below "
        f"{MEMORY_FLOOR_MB} MB it can't be told from what the worker itself holds."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "back", id="run.back", tooltip="Drop the filter, or go back"),
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
            "left_square_bracket",
            "next_failed(-1)",
            "other failed",
            key_display="[ ]",
            id="run.previous_failed",
            tooltip="The log of the previous, the next failed task",
        ),
        Binding("right_square_bracket", "next_failed(1)", "next failed", show=False, id="run.next_failed"),
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
            tooltip="Show some tasks only, such as reason:memory or item:x",
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
            "x",
            "cancel_batch",
            "cancel batch",
            id="run.cancel_batch",
            tooltip="Cancel the batch under the cursor, after a question",
        ),
        Binding(
            "e",
            "whole",
            "all of it",
            show=False,
            id="run.whole",
            tooltip="Why the run is as it is, and all about the task or batch under the cursor",
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
        self._advice: RunAdvice | None = None
        """Of this picture, once it is asked for."""
        self._load: Load | None = None
        self._why = ""
        self._warns = False
        self._tab = "tasks"
        self._batches: BatchesPane | None = None
        self._log: LogPane | None = None
        self._logged = -1

    def compose_body(self) -> Iterable[Widget]:
        """Head and tabs."""
        yield RunHead()
        with TabbedContent(id="tabs"):
            with TabPane("1 Tasks", id="tasks"):
                # Only what somebody asks for starts an engine from a read-only dashboard.
                reader = partial(self._log_reader, start=not self.dashboard.read_only)
                yield TasksPane(reader, self._for_run)
            # These two are furnished when they are first seen: the first frame does not wait for them.
            yield TabPane("2 Batches", id="batches")
            yield TabPane("3 Log", id="log")

    def on_mount(self) -> None:
        """The keys go to the tasks."""
        self._tasks.table.focus()

    def show(self, picture: Picture) -> None:
        """Bring head and tabs up to date."""
        self._row = picture.runs.get(self.run)
        if picture.run is not None and picture.run.run == self.run:
            self._picture = picture.run
            self._advice = None
        if self._row is None:
            if picture.read_at:
                self.query_one(RunHead).miss(self.run)
                self._tasks.show(self._picture, self.dashboard.now())
            return
        now = self.dashboard.moment_of(self._row)
        unseen = unseen_words(self._row, picture.place_of(self._row), self.dashboard.now())
        waits = explain_waiting(self._picture.batches, Shared(self._row, self._picture.workflow))
        self._why = unseen or why_of(self._row, self._picture.steps, self._picture.tasks.values(), waits)
        # What goes on by itself calls for no attention.
        pressing = waits is not None and waits.need is not Need.WAITS and not self._row.counts.failed
        self._warns = bool(unseen) or pressing
        self._load = picture.loads.get(self.run)
        self._show_head(now)
        self._tasks.show(self._picture, now, self._row)
        self._show_tab(now)
        self.refresh_bindings()

    def tick(self) -> None:
        """Elapsed times, while something runs."""
        if self._row is not None:
            now = self.dashboard.moment_of(self._row)
            self._show_head(now)
            if self._row.state.final:
                return
            if self._tab == "tasks":
                self._tasks.tick(now)
            else:
                self._show_tab(now)

    def _for_run(self, explained: Explanation) -> Explanation:
        """*explained*, of one task or batch, with what helps all that failed of the run."""
        if self._row is None:
            return explained
        if self._advice is None:
            picture = self._picture
            shared = Shared(self._row, picture.workflow)
            self._advice = advice_for_run(picture.tasks.values(), picture.batches, shared)
        return self._advice.of(explained)

    def _show_head(self, now: float) -> None:
        if self._row is not None:
            head = self.query_one(RunHead)
            head.show(self._row, self._picture.steps, self._why, now, self._load, warns=self._warns)

    def _show_tab(self, now: float) -> None:
        """Bring what is seen besides the tasks up to date."""
        if self._tab == "batches" and self._batches is not None:
            self._batches.show(self._picture, now, self._row)
        elif self._tab == "log" and self._log is not None:
            self._log.show(self._picture.tasks.get(self._logged))

    def pointless(self) -> frozenset[str]:
        """What can't be done to this run, or to the task under the cursor, as well."""
        run, task, batch = self._row, self._tasks.chosen, self._chosen_batch
        nothing = {
            "retry": run is None or not intents.can_retry(run),
            "cancel": run is None or not intents.can_cancel(run),
            "cancel_task": task is None or task.state.final,
            "cancel_batch": batch is None or batch.state.final,
            "next_failed(-1)": run is None or run.counts.failed == 0,
        }
        return super().pointless().union(action for action, true in nothing.items() if true)

    def action_back(self) -> None:
        """From a log or the batches to the tasks, from some to all of them, from there to the runs."""
        if self._tab != "tasks":
            self.action_tab("tasks")
        elif not self._tasks.drop_filter():
            self.post_message(OpenRuns())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done to tasks, and to logs, is there only where they are seen (Textual asks)."""
        if action == "next_failed":
            return self._tab == "log"
        if action == "cancel_batch":
            return self._tab == "batches"
        return self._tab == "tasks" or action not in ("log", "next_filter", "filter", "cancel_task")

    def action_tab(self, tab: str) -> None:
        """Go to a tab."""
        self.query_one(TabbedContent).active = tab

    def action_log(self) -> None:
        """The log of the task under the cursor."""
        self.action_tab("log")

    @on(TasksPane.Chosen)
    def _chosen(self, event: TasksPane.Chosen) -> None:
        event.stop()
        self.action_tab("log")

    @on(TabbedContent.TabActivated)
    async def _tab_activated(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        tab = event.pane.id or "tasks"
        if tab == "batches" and self._batches is None:
            from tui.widgets.batches_pane import BatchesPane

            batches = BatchesPane(self._for_run)
            await event.pane.mount(batches)
            self._batches = batches
        elif tab == "log" and self._log is None:
            from tui.widgets.log_pane import LogPane

            log = LogPane(self._log_reader)
            await event.pane.mount(log)
            self._log = log
        self._tab = tab
        self.refresh_bindings()
        if tab == "log" and self._log is not None:
            self._follow(self._tasks.chosen)
            self._log.view.focus()
            return
        if self._log is not None:
            self._log.stop()
        if self._row is not None:
            self._show_tab(self.dashboard.moment_of(self._row))
        (self._tasks if tab == "tasks" or self._batches is None else self._batches).table.focus()

    def action_next_failed(self, by: int) -> None:
        """The log of another failed task."""
        task = self._tasks.next_failed(self._logged, by)
        if task is None:
            self.dashboard.tell("No other task has failed.")
        else:
            self._follow(task)

    def _follow(self, task: TaskRow | None) -> None:
        self._logged = -1 if task is None else task.index
        item = "" if task is None else item_words(task, self._picture.steps)
        if self._log is not None:
            self._log.follow(task, item)

    def _log_reader(self, task: int, *, start: bool = True) -> Read:
        client = self.dashboard.client
        running = not start

        async def read(offset: int, limit: int) -> LogChunk:
            nonlocal running
            if not running:
                # Logs are read by the engine, which knows where they are; one that rested is started.
                await client.ensure_running()
                running = True
            return await client.read_log(self.run, task, offset, limit)

        return read

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

    def action_cancel_batch(self) -> None:
        """Cancel the batch under the cursor."""
        batch = self._chosen_batch
        if self._row is not None and batch is not None:
            intents.cancel_batch(self.dashboard, self._row, batch)

    def action_whole(self) -> None:
        """All that the head and the lines about a task or a batch may have had no room for."""
        from tui.screens.whole_text import WholeText, in_whole
        from tui.widgets.batch_detail import BatchDetail

        view: ParagraphView = self.query_one(BatchDetail if self._tab == "batches" else TaskDetail)
        why = [Passage([("run ", "muted")], [plain(self._why)])] if self._why else []
        if told := [*why, *view.paragraphs]:
            self.app.push_screen(WholeText(self.run if self._row is None else self._row.name, in_whole(told)))

    def action_copy(self) -> None:
        """Copy the id."""
        self.app.copy_to_clipboard(self.run)
        self.dashboard.tell(f"The id {self.run} is on the clipboard.")

    @property
    def _chosen_batch(self) -> BatchRow | None:
        return self._batches.chosen if self._batches is not None and self._tab == "batches" else None

    @property
    def _tasks(self) -> TasksPane:
        return self.query_one(TasksPane)
