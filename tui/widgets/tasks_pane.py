"""The tasks of a run: the table, what it is filtered by, and all about the task under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from runners.config.units import format_duration, format_mb
from runners.states import State
from runners.store.rows import TaskRow
from tui import filters
from tui.feed import RunPicture
from tui.signs import sign
from tui.widgets.columns import Cell, Column
from tui.widgets.filter_line import FilterLine
from tui.widgets.table_rows import Row
from tui.widgets.task_detail import TaskDetail
from tui.widgets.virtual_table import VirtualTable

KEYS = ("state", "item", "reason", "index", "slot")
"""What a filter can ask for."""

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

    def __init__(self) -> None:
        super().__init__()
        self._picture = RunPicture("")
        self._at_work: set[int] = set()
        self._only: State | None = None
        self._fits: Callable[[filters.Values], bool] | None = None
        self._passed: dict[str, bool] = {}
        self._now = 0.0

    def compose(self) -> ComposeResult:
        """Title with filter, table, detail."""
        yield FilterLine("Tasks", placeholder="words, state:failed, reason:…, item:…")
        yield VirtualTable(
            [
                Column("state", "state", 11, value=lambda key: self._of(key).state.value),
                Column("index", "task", 6, align="right", value=lambda key: float(key)),
                Column("item", "item", None, least=26, keep="end", value=lambda key: self._of(key).item),
                Column(
                    "reason",
                    "reason",
                    22,
                    priority=2,
                    value=lambda key: self._of(key).reason or None,
                ),
                Column(
                    "time",
                    "time",
                    8,
                    align="right",
                    priority=1,
                    value=lambda key: self._wall(self._of(key)),
                ),
                Column(
                    "memory",
                    "memory",
                    8,
                    align="right",
                    priority=3,
                    value=lambda key: self._of(key).max_rss_mb,
                ),
                Column("cpu", "CPU", 7, align="right", priority=4, value=lambda key: self._of(key).cpu_s),
                Column("slot", "slot", 4, align="right", priority=5, value=lambda key: self._of(key).slot),
            ],
            id="task-table",
            empty="No task fits the filter. esc shows all.",
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

    def show(self, picture: RunPicture, now: float) -> None:
        """Bring table and detail up to date."""
        old, self._picture, self._now = self._picture.tasks, picture, now
        new = picture.tasks
        if new is not old:
            self._take(old, new)
        self._detail()

    def tick(self, now: float) -> None:
        """Elapsed times of what runs."""
        self._now = now
        self.table.patch(Row(str(index), self._cells) for index in self._at_work)
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

    @property
    def filtered(self) -> bool:
        """Whether some tasks may be hidden."""
        return self._only is not None or self._fits is not None

    def show_all(self) -> None:
        """Drop both filters."""
        self._only = None
        self.query_one(FilterLine).action_clear()
        self._refilter()

    def _take(self, old: Mapping[int, TaskRow], new: Mapping[int, TaskRow]) -> None:
        changed = [index for index, task in new.items() if old.get(index) is not task]
        for index in changed:
            self._passed.pop(str(index), None)
            if new[index].state is State.RUNNING:
                self._at_work.add(index)
            else:
                self._at_work.discard(index)
        rows = (Row(str(index), self._cells) for index in changed)
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
            task = self._of(row.key)
            passed = self._only in (None, task.state) and (self._fits is None or self._fits(_values(task)))
            self._passed[row.key] = passed
        return passed

    def _say(self) -> None:
        only = f"{self._only} only" if self._only is not None else ""
        if not self._picture.complete:
            only = "reading…"
        self.query_one(FilterLine).say(self.table.row_count, self.table.total_count, only)

    def _detail(self) -> None:
        task = self.chosen
        batch = step = None
        if task is not None:
            batch = next((each for each in self._picture.batches if each.token == task.batch), None)
            step = next((each for each in self._picture.steps if each.position == task.step), None)
        self.query_one(TaskDetail).show(task, batch, step, self._now)

    @on(VirtualTable.Highlighted)
    def _highlighted(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._detail()

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

    def _of(self, key: str) -> TaskRow:
        return self._picture.tasks[int(key)]

    def _wall(self, task: TaskRow) -> float | None:
        if task.state is State.RUNNING and task.started is not None:
            return self._now - task.started
        return task.wall_s

    def _cells(self, key: str) -> tuple[Cell, ...]:
        task = self._of(key)
        shown = sign(task.state)
        wall = self._wall(task)
        return (
            (f"{shown.glyph} {shown.word}", shown.style),
            (key, "muted"),
            task.item,
            (task.reason, shown.style),
            "" if wall is None else _time(wall, still=task.state is not State.RUNNING),
            "" if task.max_rss_mb is None else format_mb(task.max_rss_mb),
            "" if task.cpu_s is None else f"{task.cpu_s:.1f} s",
            "" if task.slot is None else str(task.slot),
        )


def _time(seconds: float, *, still: bool) -> str:
    """A time of which short ones are told apart, unless it goes on."""
    return f"{seconds:.1f} s" if still and seconds < 10 else format_duration(seconds)


def _values(task: TaskRow) -> filters.Values:
    return {
        "state": task.state.value,
        "item": task.item,
        "reason": task.reason,
        "index": str(task.index),
        "slot": "" if task.slot is None else str(task.slot),
    }
