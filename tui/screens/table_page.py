"""What the pages have in common that show one table, and above it the line with its filter."""

from __future__ import annotations

from typing import ClassVar

from textual import on

from tui import filters
from tui.screens.page import Page
from tui.widgets.filter_line import FilterLine
from tui.widgets.virtual_table import VirtualTable


class TablePage(Page):
    """A page whose body has one filter line and one table."""

    ROW = ""
    """What a row is, in a sentence."""

    KEYS: ClassVar[tuple[str, ...]] = ()
    """What a filter can ask for."""

    def on_mount(self) -> None:
        """The keys go to the table."""
        self._table.focus()

    def action_back(self) -> None:
        """From some rows to all, from there to where one came from."""
        line = self.query_one(FilterLine)
        if line.text:
            line.action_clear()
        else:
            self.dismiss()

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).ask()

    @on(FilterLine.Changed)
    def _sift(self, event: FilterLine.Changed) -> None:
        fits = filters.parse(event.text, self.KEYS)
        self._table.set_filter(None if fits is None else lambda row: fits(self._values(row.key)))
        self._say()

    @on(FilterLine.Left)
    def _sifted(self) -> None:
        self._table.focus()

    @property
    def _table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def _say(self) -> None:
        """Tell how many rows are shown, and why there are none; to be called when that may have changed."""
        table, line = self._table, self.query_one(FilterLine)
        if not table.row_count:
            table.empty = self._nothing() or filters.none_fits(self.ROW, line.text, self.KEYS)
        line.say(table.row_count, table.total_count, self._more())

    def _nothing(self) -> str:
        """What is said where nothing is there to be sifted; empty where only a filter can leave no rows."""
        raise NotImplementedError

    def _more(self) -> str:
        """What is said beside the number of rows."""
        return ""

    def _values(self, key: str) -> filters.Values:
        """What the row with this key can be asked for."""
        raise NotImplementedError
