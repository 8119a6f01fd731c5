"""Where the cursor of a table is put so that something is seen, as long as the person leaves it there."""

from __future__ import annotations

from tui.widgets.virtual_table import VirtualTable


class CursorLead:
    """Leads the cursor of a table to its rows, until the person has moved it."""

    def __init__(self, table: VirtualTable) -> None:
        self._table = table
        self._led_to: str | None = None
        """The row that it was put on; None: the first."""
        self._moved = False

    @property
    def free(self) -> bool:
        """Whether the cursor is where it was put, and was nowhere else."""
        keys = self._table.keys
        first = keys[0] if keys else None
        return not self._moved and self._table.cursor_key == (self._led_to or first)

    def noticed(self) -> None:
        """The cursor is on another row than before, for whatever reason."""
        self._moved = not self.free

    def left_at(self) -> None:
        """The cursor is where it is because of other rows, not of the person."""
        self._led_to = self._table.cursor_key

    def lead_to(self, key: str) -> None:
        """Put the cursor on this row, if it is free."""
        if self.free and self._table.move_to(key):
            self._led_to = key
