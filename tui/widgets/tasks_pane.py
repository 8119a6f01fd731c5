"""The tasks of a run: the table, what it is filtered by, and all about the task under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.worker import Worker

from runners.states import State
from runners.store.rows import RunRow, TaskRow
from tui import filters
from tui.explaining import ForRun, Shared, explain_task
from tui.feed import RunPicture
from tui.item_words import item_words
from tui.widgets.filter_line import FilterLine
from tui.widgets.table_rows import Row
from tui.widgets.task_cells import KEYS, TaskCells
from tui.widgets.task_detail import TaskDetail, Told
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from tui.commands_run import CommandsRun
    from tui.log_follow import Read

SHOWN: tuple[State | None, ...] = (
    None,
    State.FAILED,
    State.RUNNING,
    State.PENDING,
    State.DONE,
    State.CANCELLED,
    State.UNKNOWN,
)
"""What the state filter goes through; None is all."""

_READING = "reading…"
"""Said until all tasks are there."""

_REST_S = 0.3
"""How long the cursor rests on a failed task before its log is read."""

_SETTLED_S = 0.5
"""How long the screen has been there before the commands are worked out: that takes a library with it."""


class TasksPane(Vertical):
    """Table and detail."""

    DEFAULT_CSS = """
    TasksPane {
        & > VirtualTable { height: 1fr; }
    }
    """

    class Chosen(Message):
        """The person wants to see the log of the task with this index."""

        def __init__(self, task: int) -> None:
            super().__init__()
            self.task = task

    def __init__(self, reader: Callable[[int], Read], for_run: ForRun) -> None:
        """*reader* gives, for a task's index, what reads its log; *for_run* what helps all of the run."""
        super().__init__()
        self._reader = reader
        self._for_run = for_run
        self._picture = RunPicture("")
        self._run: RunRow | None = None
        self._cells = TaskCells()
        self._at_work: set[int] = set()
        self._commands: CommandsRun | None = None
        self._loading: Worker[None] | None = None
        self._listening: Worker[None] | None = None
        self._listens_to: int | None = None
        self._says: tuple[str, ...] = ()
        self._only: State | None = None
        self._fits: Callable[[filters.Values], bool] | None = None
        self._passed: dict[str, bool] = {}
        self._now = 0.0
        self._item_cells = 0

    def compose(self) -> ComposeResult:
        """Title with filter, table, detail."""
        yield FilterLine("Tasks", placeholder="words, state:failed, reason:…, item:…")
        yield VirtualTable(
            self._cells.columns,
            id="task-table",
            empty=_READING,
        )
        yield TaskDetail()

    @property
    def chosen(self) -> TaskRow | None:
        """The task under the cursor."""
        key = self.table.cursor_key
        return None if key is None else self._picture.tasks.get(int(key))

    @property
    def table(self) -> VirtualTable:
        """The table."""
        return self.query_one(VirtualTable)

    def show(self, picture: RunPicture, now: float, run: RunRow | None = None) -> None:
        """Bring table and detail up to date; *run* is the one that *picture* is of, where it is known."""
        self._run = run
        old, self._picture, self._now = self._picture, picture, now
        self._cells.look_at(picture, now)
        self.table.hide(() if len(picture.steps) > 1 else ("step",))
        if picture.tasks is not old.tasks:
            self._take(old.tasks, picture.tasks)
        elif picture.slots != old.slots:
            self.table.patch(Row(str(index), self._cells.of) for index in self._at_work)
        if picture.workflow and self._loading is None:
            self._loading = self.run_worker(self._load_commands(), group="commands", exit_on_error=False)
        self._detail()

    def tick(self, now: float) -> None:
        """Elapsed times of what runs."""
        self._now = now
        self._cells.look_at(self._picture, now)
        self.table.patch(Row(str(index), self._cells.of) for index in self._at_work)
        self._detail()

    def filter(self) -> None:
        """Let the person type a filter."""
        self.query_one(FilterLine).ask()

    def next_filter(self) -> None:
        """All, failed only, running only, and so on; states that no task is in are passed over."""
        there = {task.state for task in self._picture.tasks.values()}
        choices = [state for state in SHOWN if state is None or state in there or state is self._only]
        self._only = choices[(choices.index(self._only) + 1) % len(choices)]
        self._refilter()

    def drop_filter(self) -> bool:
        """Drop what was typed; with nothing typed, the filter by state. False where there is none."""
        if self._fits is not None:
            self.query_one(FilterLine).action_clear()
        elif self._only is not None:
            self._only = None
            self._refilter()
        else:
            return False
        return True

    def next_failed(self, index: int, by: int) -> TaskRow | None:
        """The failed task after (`by` 1) or before (-1) the one with this index, round the end.

        None where there is no other. The cursor goes to it where it is shown.
        """
        failed = [task for task in self._picture.tasks.values() if task.state is State.FAILED]
        failed = [task for task in failed[::by] if task.index != index]
        found = next((task for task in failed if (task.index - index) * by > 0), next(iter(failed), None))
        if found is not None:
            self.table.move_to(str(found.index))
        return found

    async def _load_commands(self) -> None:
        await asyncio.sleep(_SETTLED_S)
        workflow, folder = self._picture.workflow, self._picture.folder

        def load() -> CommandsRun:
            from tui.commands_run import CommandsRun

            return CommandsRun(workflow, folder)

        self._commands = await asyncio.to_thread(load)
        self._detail()

    def _take(self, old: Mapping[int, TaskRow], new: Mapping[int, TaskRow]) -> None:
        changed = [index for index, task in new.items() if old.get(index) is not task]
        for index in changed:
            self._passed.pop(str(index), None)
            if new[index].state is State.RUNNING:
                self._at_work.add(index)
            else:
                self._at_work.discard(index)
        # Only ever more: nothing jumps while tasks come and go.
        added = (new[index] for index in changed if index not in old)
        self._item_cells = self._cells.item_cells(added, self._item_cells)
        self.table.need("item", self._item_cells)
        rows = (Row(str(index), self._cells.of) for index in changed)
        if len(changed) == len(new):
            self.table.set_rows(rows)
        else:
            self.table.patch(rows)
        self._say()

    def _refilter(self) -> None:
        self._passed.clear()
        if self._fits is None and self._only is None:
            self.table.set_filter(None)
        else:
            self.table.set_filter(self._passes)
        self._say()

    def _passes(self, row: Row) -> bool:
        passed = self._passed.get(row.key)
        if passed is None:
            task = self._picture.tasks[int(row.key)]
            passed = self._only in (None, task.state) and (
                self._fits is None or self._fits(self._cells.values(task))
            )
            self._passed[row.key] = passed
        return passed

    def _say(self) -> None:
        only = f"{self._only} only" if self._only is not None else ""
        line = self.query_one(FilterLine)
        empty = filters.none_fits("task", line.text, KEYS)
        if not self._picture.complete:
            only = empty = _READING
        elif not self._picture.tasks:
            empty = "It has no tasks."
        if self.table.empty != empty:
            self.table.empty = empty
        line.say(self.table.row_count, self.table.total_count, only)

    def _detail(self) -> None:
        task = self.chosen
        self._listen(task)
        self.query_one(TaskDetail).show(None if task is None else self._told(task), self._now)

    def _told(self, task: TaskRow) -> Told:
        batch = next((each for each in self._picture.batches if each.token == task.batch), None)
        command = None
        if self._commands is not None:
            command = self._commands.of(task, 0 if batch is None else batch.number)
        if command is None:
            commands = (step.command for step in self._picture.steps if step.position == task.step)
            command = next(commands, "")
        slot = self._cells.slot(task)
        why = None
        if self._run is not None:
            why = explain_task(task, batch, Shared(self._run, self._picture.workflow), self._says)
            why = None if why is None else self._for_run(why)
        return Told(task, item_words(task, self._picture.steps), command, self._says, batch, slot, why)

    def _listen(self, task: TaskRow | None) -> None:
        """Have the last lines of a failed task's log read, once the cursor rests on it."""
        failed = task is not None and task.state is State.FAILED and task.log_bytes != 0
        index = task.index if task is not None and failed else None
        if index == self._listens_to:
            return
        self._listens_to, self._says = index, ()
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
        if index is not None:
            self._listening = self.run_worker(self._hear(index), group="says", exit_on_error=False)

    async def _hear(self, index: int) -> None:
        from runners.engine.client import EngineError
        from tui.last_words import last_words

        await asyncio.sleep(_REST_S)
        try:
            self._says = await last_words(self._reader(index))
        except EngineError:
            # The log's own tab tells why it can't be read; here it would only be in the way.
            return
        self._detail()

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._detail()
        # Some keys do something to some tasks only.
        self.screen.refresh_bindings()

    @on(VirtualTable.Activated)
    def _activated(self, event: VirtualTable.Activated) -> None:
        event.stop()
        self.post_message(self.Chosen(int(event.key)))

    @on(FilterLine.Changed)
    def _typed(self, event: FilterLine.Changed) -> None:
        event.stop()
        self._fits = filters.parse(event.text, KEYS)
        self._refilter()

    @on(FilterLine.Left)
    def _left(self, event: FilterLine.Left) -> None:
        event.stop()
        self.table.focus()
