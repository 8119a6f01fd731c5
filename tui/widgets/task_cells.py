"""What the table of a run's tasks says of each: columns, cells, and the values that a filter asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runners.config.units import format_peak_mb, format_time
from runners.states import State
from runners.store.rows import SlotRow, TaskRow
from tui.feed import RunPicture
from tui.filters import Values
from tui.item_words import item_words
from tui.signals import KILLED
from tui.signs import sign
from tui.text import plain, width_of
from tui.widgets.columns import Cell, Column, Sortable

_ENOUGH = 200
"""Cells of an item beyond which nobody has room for it."""

KEYS = ("state", "item", "reason", "index", "slot", "step")
"""What a filter can ask for."""


class TaskCells:
    """The tasks of one picture at one moment, as cells; a row's key is the task's index."""

    def __init__(self) -> None:
        self._picture = RunPicture("")
        self._slots: dict[int, SlotRow] = {}
        """Where the tasks that run do so, by their index."""
        self._now = 0.0

        def by(value: Callable[[TaskRow], Sortable]) -> Callable[[str], Sortable]:
            return lambda key: value(self._task(key))

        self.columns = (
            Column("state", "state", 11, value=by(lambda task: task.state.value)),
            Column("step", "step", 10, priority=2, value=by(lambda task: float(task.step))),
            Column("index", "task", 6, align="right", value=float),
            Column("item", "item", None, least=26, keep="end", value=by(self._item)),
            Column(
                "reason",
                "reason",
                None,
                least=11,
                most=28,
                priority=2,
                value=by(lambda task: task.reason or None),
            ),
            Column("time", "time", 8, align="right", priority=1, value=by(self._wall)),
            Column("memory", "memory", 8, align="right", priority=3, value=by(self._memory)),
            Column("cpu", "CPU", 6, align="right", priority=4, value=by(self._cpu_percent)),
            Column("slot", "slot", 4, align="right", priority=5, value=by(lambda task: task.slot)),
        )

    def item_cells(self, tasks: Iterable[TaskRow], known: int) -> int:
        """In how many cells the items of *tasks* have room, and others for which so many *known* ones do.

        Where one takes more than any terminal has, that is all that is told.
        """
        for task in tasks:
            if known >= _ENOUGH:
                break
            item = self._item(task)
            # No character takes more than two cells; measuring 20,000 of them would be felt.
            if len(item) * (1 if item.isascii() else 2) > known:
                known = max(known, width_of(plain(item, _ENOUGH)))
        return known

    def look_at(self, picture: RunPicture, now: float) -> None:
        """From now on speak of this picture, at the moment *now*, in seconds since the epoch."""
        if picture.slots is not self._picture.slots:
            self._slots = {slot.task: slot for slot in picture.slots if slot.task is not None}
        self._picture, self._now = picture, now

    def slot(self, task: TaskRow) -> SlotRow | None:
        """Where a task runs; None where it does not."""
        return self._slots.get(task.index) if task.state is State.RUNNING else None

    def of(self, key: str) -> tuple[Cell, ...]:
        """The cells of the row with this key, a task's index."""
        task = self._task(key)
        shown = sign(task.state)
        word = "cancelling" if task.cancelling and not task.state.final else shown.word
        wall, memory, cpu = self._wall(task), self._memory(task), self._cpu_percent(task)
        return (
            (f"{shown.glyph} {word}", shown.style),
            (self._step(task), "muted"),
            (key, "muted"),
            self._item(task),
            # The signal alone: there is little room, and what it means is told below.
            (task.reason.removeprefix(KILLED), shown.style),
            "" if wall is None else format_time(wall, going=task.state is State.RUNNING),
            "" if memory is None else format_peak_mb(memory),
            "" if cpu is None else f"{cpu:.0f} %",
            "" if task.slot is None else str(task.slot),
        )

    def values(self, task: TaskRow) -> Values:
        """What a filter can ask of a task, under the names in `KEYS`."""
        return {
            "state": task.state.value,
            "item": self._item(task),
            "reason": task.reason,
            "index": str(task.index),
            "slot": "" if task.slot is None else str(task.slot),
            "step": self._step(task),
        }

    def _task(self, key: str) -> TaskRow:
        return self._picture.tasks[int(key)]

    def _wall(self, task: TaskRow) -> float | None:
        if task.state is State.RUNNING and task.started is not None:
            return self._now - task.started
        return task.wall_s

    def _memory(self, task: TaskRow) -> float | None:
        slot = self.slot(task)
        return task.max_rss_mb if slot is None else slot.rss_mb

    def _cpu_percent(self, task: TaskRow) -> float | None:
        """Of one core: of a task that runs, at the moment; of one that ended, all the time."""
        if task.state is State.RUNNING:
            slot = self.slot(task)
            return None if slot is None else slot.cpu_percent
        return 100 * task.cpu_s / task.wall_s if task.cpu_s is not None and task.wall_s else None

    def _item(self, task: TaskRow) -> str:
        return item_words(task, self._picture.steps)

    def _step(self, task: TaskRow) -> str:
        return next((step.name for step in self._picture.steps if step.position == task.step), "")
