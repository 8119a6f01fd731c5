"""The slots of live batches: what runs in each, for how long, and what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.geometry import Size

from runners.config.units import format_peak_mb, format_time
from tui.text import pad
from tui.widgets.columns import Cell, Column, pieces, place
from tui.widgets.line_view import Base, Line, LineView

_COLUMNS: Final = (
    Column("slot", "slot", 6, align="right"),
    Column("task", "task", None, keep="end"),
    Column("elapsed", "elapsed", 10, align="right"),
    Column("cpu", "CPU", 6, align="right", priority=1),
    Column("memory", "memory", 8, align="right", priority=2),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """What is known of one slot."""

    name: str
    """Unique among those shown together."""
    task: str
    """The item of the task in it, or a word on why there is none (`ready`, `lost`)."""
    busy: bool
    elapsed_s: float | None = None
    cpu_percent: float | None = None
    """Of one core."""
    memory_mb: float | None = None


class SlotsPanel(LineView):
    """One line for each slot. What has not changed is not drawn again.

    As high as it takes, unless the screen says otherwise; then the last line says how many more there are.
    """

    DEFAULT_CSS = """
    SlotsPanel { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._slots: tuple[Slot, ...] = ()

    def show(self, slots: Sequence[Slot]) -> None:
        """Show these slots, in this order."""
        grown = len(slots) != len(self._slots)
        self._slots = tuple(slots)
        if grown:
            self.refresh(layout=True)
        else:
            self.repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line for the titles and one for each slot (Textual asks)."""
        return 1 + len(self._slots)

    def line(self, y: int) -> Line:
        """The titles, a slot, or how many more there are."""
        width = self.size.width
        if y == 0:
            return self._placed([column.title for column in _COLUMNS], "header")
        index = y - 1
        hidden = len(self._slots) - (self.size.height - 1)
        if hidden > 0 and y == self.size.height - 1:
            return Line(((pad(f" and {hidden + 1:,} more slots", width), "muted"),))
        if index >= len(self._slots):
            return Line(((" " * width, None),))
        return self._placed(_cells(self._slots[index]))

    def _placed(self, cells: Sequence[Cell], base: Base = "") -> Line:
        # The margins are those of the tables.
        width = self.size.width - 3
        return Line(
            ((" ", None), *pieces(_COLUMNS, place(_COLUMNS, width), cells, width), ("  ", None)), base
        )


def _cells(slot: Slot) -> tuple[Cell, ...]:
    return (
        (slot.name, "muted"),
        slot.task if slot.busy else (slot.task, "muted"),
        "" if slot.elapsed_s is None else format_time(slot.elapsed_s, going=True),
        "" if slot.cpu_percent is None else f"{slot.cpu_percent:.0f} %",
        "" if slot.memory_mb is None else format_peak_mb(slot.memory_mb),
    )
