"""A table of 20,000 tasks as a program of its own, for the byte and latency budgets.

Keys: 1 changes one row in view, 2 one out of view, 3 twenty rows in view, t goes to the next theme.
"""

from __future__ import annotations

import os
import time
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from runners.states import State
from tui.signs import sign
from tui.widgets.virtual_table import Cell, Column, Row, VirtualTable

TASKS = int(os.environ.get("TABLE_APP_TASKS", "20000"))
_STATES = (State.DONE, State.DONE, State.RUNNING, State.FAILED, State.PENDING)
_COLUMNS = (
    Column("task", "task", 6, align="right"),
    Column("state", "state", 11),
    Column("item", "item", None, keep="end", least=16),
    Column("elapsed", "elapsed", 9, align="right", priority=1),
    Column("memory", "memory", 9, align="right", priority=2),
    Column("exit", "exit", 4, align="right", priority=3),
    Column("slot", "slot", 4, align="right", priority=4),
    Column("batch", "batch", 20, priority=5),
    Column("reason", "reason", 24, priority=6),
)


class TableApp(App[None]):
    """The table and nothing else."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "change(0, 1)"),
        Binding("2", "change(15000, 1)"),
        Binding("3", "change(0, 20)"),
        Binding("t", "next_theme"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._seconds = dict.fromkeys(range(TASKS), 0)

    def compose(self) -> ComposeResult:
        """The table."""
        yield VirtualTable(_COLUMNS, id="tasks", empty="No tasks")

    def on_mount(self) -> None:
        """Fill it, and say how long that took."""
        table = self.query_one(VirtualTable)
        begin = time.perf_counter()
        table.set_rows([Row(str(n), self._cells) for n in range(TASKS)])
        table.empty = f"filled in {time.perf_counter() - begin:.4f} s"
        table.focus()

    def action_change(self, first: int, count: int) -> None:
        """Let the elapsed time of some rows go on."""
        changed = range(first, first + count)
        for n in changed:
            self._seconds[n] += 1
        self.query_one(VirtualTable).patch(Row(str(n), self._cells) for n in changed)

    def action_next_theme(self) -> None:
        """Go to the next of a few themes."""
        themes = ["textual-dark", "textual-light", "ansi-dark", "ansi-light"]
        self.theme = themes[(themes.index(self.theme) + 1) % len(themes)]

    def _cells(self, key: str) -> tuple[Cell, ...]:
        n = int(key)
        state = _STATES[n % len(_STATES)]
        shown = sign(state)
        return (
            key,
            (f"{shown.glyph} {shown.word}", shown.style),
            f"/data/plates/plate-{n % 7}/[/]well_{n:05}.tif",
            f"0:{self._seconds[n] // 60:02}:{self._seconds[n] % 60:02}",
            f"{n % 900} MB",
            "1" if state is State.FAILED else "0",
            str(n % 4),
            f"ry-4k7m-{n // 1000:03}-8f3a2c1d",
            ("exit 1: no such file", "failed") if state is State.FAILED else "",
        )


if __name__ == "__main__":
    TableApp().run()
