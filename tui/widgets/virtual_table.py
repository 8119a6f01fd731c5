"""A table for any number of rows, on Textual's line API.

Textual's own DataTable measures every cell when it is added, and repaints all that is visible for one
changed cell: with 20,000 rows that is seconds, and tens of kilobytes. Here a row is looked at when it comes
into view.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.text import ascii_only, fit, pad, plain, width_of
from tui.widgets.columns import Cell, Column, Place, Sortable, pieces, place
from tui.widgets.line_view import Base, Line, LineView, Piece
from tui.widgets.table_rows import Row, TableRows
from tui.widgets.viewport import Viewport

__all__ = ["Cell", "Column", "Row", "Sortable", "VirtualTable"]

_HEADER = 1
_MARGINS = 3
"""A blank cell at either end, and at the right another in which the thumb shows how far down the view is."""
_WHEEL = 3
_CACHED = 1024


class VirtualTable(LineView, can_focus=True):
    """A table whose cursor stays on its row, whatever happens to the rows around it.

    Every text in it is untrusted and made harmless when it is drawn. Rows that are not in view cost nothing,
    neither time nor bytes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "open", show=False, id="table.open"),
        Binding("up,k", "move(-1)", "up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="table.page-up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="table.page-down"),
        Binding("home,g", "first", "first row", show=False, id="table.first"),
        Binding("end,G", "last", "last row", show=False, id="table.last"),
        Binding("s", "sort_next", "sort by the next column", show=False, id="table.sort"),
        Binding("S", "sort_reverse", "reverse the order", show=False, id="table.reverse"),
    ]

    DEFAULT_CSS = """
    VirtualTable { height: 1fr; }
    """

    class _OfRow(Message):
        def __init__(self, table: VirtualTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> VirtualTable:
            """The table it happened in."""
            return self.table

    class Highlighted(_OfRow):
        """The cursor is on another row. `key` is empty when there is no row left."""

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor came to rest matters."""
            return isinstance(message, VirtualTable.Highlighted) and message.table is self.table

    class Activated(_OfRow):
        """A row was asked for, with enter or a double click."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str | None = None,  # noqa: A002 (Textual's name)
        empty: str = "nothing here",
    ) -> None:
        """A table of these columns; `empty` is said in its middle when it has no rows."""
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._rows = TableRows(self._columns)
        self._empty = empty
        self._view = Viewport()
        self._cursor_key: str | None = None
        self._sorted: tuple[str | None, bool] = (None, False)
        self._places: tuple[Place, ...] = ()
        self._placed_for = -1
        self._looked: dict[str, tuple[Piece, ...]] = {}
        self._hidden: Collection[str] = ()
        self._needs: dict[str, int] = {}
        self._dragging = False
        self._last_wanted = False

    # -- rows

    @property
    def row_count(self) -> int:
        """Rows that pass the filter."""
        return len(self._rows)

    @property
    def total_count(self) -> int:
        """All rows."""
        return self._rows.total

    @property
    def keys(self) -> Sequence[str]:
        """The keys of the rows that pass the filter, in the order shown."""
        return self._rows.order

    @property
    def empty(self) -> str:
        """What is said when there is no row to show."""
        return self._empty

    @empty.setter
    def empty(self, text: str) -> None:
        self._empty = text
        self.repaint()

    def set_rows(self, rows: Iterable[Row]) -> None:
        """Show these rows and no others."""
        before = self._rows.order
        self._rows.replace(rows)
        self._looked.clear()
        self._settle(before)

    def patch(self, rows: Iterable[Row]) -> None:
        """Take in changed rows, and new ones at the end; draw only what is in view and looks different."""
        rows = list(rows)
        before = self._rows.order
        self._rows.patch(rows)
        for row in rows:
            self._looked.pop(row.key, None)
        if self._rows.order is not before:
            self._settle(before)
            return
        indexes = (self._rows.index_of(row.key) for row in rows)
        self._repaint_rows(index for index in indexes if index is not None)

    def set_filter(self, predicate: Callable[[Row], bool] | None) -> None:
        """Show only the rows for which `predicate` holds; None shows all."""
        before = self._rows.order
        self._rows.filter(predicate)
        self._settle(before)

    @property
    def sorted_by(self) -> tuple[str | None, bool]:
        """The column that orders the rows (None: as they were given), and whether it is reversed."""
        return self._sorted

    def sort_by(self, column: str | None, *, reverse: bool = False) -> None:
        """Order by a column (KeyError if there is none such), or with None as the rows were given."""
        before = self._rows.order
        self._rows.sort(column, reverse=reverse)
        self._sorted = (column, reverse)
        self._settle(before)

    def hide(self, columns: Collection[str]) -> None:
        """Do not show the columns with these keys; all others are shown."""
        if columns != self._hidden:
            self._hidden = columns
            self._placed_for = -1
            self.repaint()

    def need(self, column: str, cells: int) -> None:
        """The column with this key has room for all that is in it in so many *cells*: it takes no more."""
        if self._needs.get(column) != cells:
            self._needs[column] = cells
            self._placed_for = -1
            self.repaint()

    # -- cursor

    @property
    def cursor_key(self) -> str | None:
        """The key of the row that the cursor is on; None when there is no row."""
        return self._cursor_key

    def move_to(self, key: str) -> bool:
        """Put the cursor on a row and bring it into view. False, and nothing moves, if it is not shown."""
        index = self._rows.index_of(key)
        if index is None:
            return False
        self._move(lambda: self._view.put(index))
        return True

    def _measure(self) -> None:
        # A border that comes with the focus changes the room without an event.
        self._view.resize(self.size.height - _HEADER)

    def _move(self, how: Callable[[], None]) -> None:
        """Move cursor or view, and draw what that changes."""
        self._measure()
        self._last_wanted = False
        cursor, top = self._view.cursor, self._view.top
        how()
        if self._view.top != top:
            self.repaint()
        elif self._view.cursor != cursor:
            self._repaint_rows((cursor, self._view.cursor))
        self._tell()

    def _settle(self, before: Sequence[str]) -> None:
        """Draw what is in view, after a change of rows or their order."""
        self._measure()
        self._view.settle(before, self._rows.index_of, len(self._rows))
        if self._last_wanted and len(self._rows):
            self._last_wanted = False
            self._view.put(len(self._rows) - 1)
        self.repaint()
        self._tell()

    def _tell(self) -> None:
        key = self._rows.order[self._view.cursor] if len(self._rows) else None
        if key != self._cursor_key:
            self._cursor_key = key
            self.post_message(self.Highlighted(self, key or ""))

    # -- drawing

    def line(self, y: int) -> Line:
        """The header, a row, or the empty text."""
        width = self.size.width
        if y == 0:
            return self._framed(self._header(), " ", "header")
        index = self._view.top + y - _HEADER
        if not len(self._rows):
            return Line(((self._empty_line(y - _HEADER, width), "muted"),))
        if index >= len(self._rows):
            return Line(((" " * width, None),))
        base: Base = "cursor" if index == self._view.cursor else ""
        return self._framed(self._row(self._rows.order[index]), self._view.thumb(y - _HEADER), base)

    def _framed(self, content: tuple[Piece, ...], thumb: str, base: Base) -> Line:
        return Line(((" ", None), *content, (f" {thumb}", "muted")), base)

    def _header(self) -> tuple[Piece, ...]:
        column, reverse = self._sorted
        up, down = "^v" if ascii_only() else "▲▼"
        places = self._places_now()
        titles: list[Cell] = [each.title for each in self._columns]
        for index, _, width in places:
            if self._columns[index].key == column:
                titles[index] = fit(self._columns[index].title, width - 1) + (down if reverse else up)
        return pieces(self._columns, places, titles, self.size.width - _MARGINS)

    def _row(self, key: str) -> tuple[Piece, ...]:
        places = self._places_now()
        looked = self._looked.get(key)
        if looked is None:
            if len(self._looked) >= _CACHED:
                self._looked.clear()
            cells = self._rows.row(key).look()
            looked = pieces(self._columns, places, cells, self.size.width - _MARGINS)
            self._looked[key] = looked
        return looked

    def _places_now(self) -> tuple[Place, ...]:
        width = self.size.width
        if self._placed_for != width:
            self._places = place(self._columns, width - _MARGINS, self._hidden, self._needs)
            self._placed_for = width
            self._looked.clear()
        return self._places

    def _empty_line(self, y: int, width: int) -> str:
        lines = self._empty.splitlines()
        at = y - max(0, (self._view.page - len(lines)) // 2)
        if not 0 <= at < len(lines):
            return " " * width
        left = " " * max(0, (width - max(width_of(plain(line)) for line in lines)) // 2)
        return pad(left + plain(lines[at]), width)

    def _repaint_rows(self, indexes: Iterable[int]) -> None:
        rows = self._view.rows
        self.repaint(_HEADER + index - rows.start for index in indexes if index in rows)

    # -- what people do

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._measure()
        # Textual may have drawn the new size before it said so.
        self.repaint()

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self._move(lambda: self._view.put(self._view.cursor + by))

    def action_page(self, by: int) -> None:
        """Move the cursor and the view by pages."""
        self._move(lambda: self._view.turn(by))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self._move(lambda: self._view.put(0))

    def action_last(self) -> None:
        """Move the cursor to the last row; where no row has come yet, once there are some."""
        self._move(lambda: self._view.put(len(self._rows) - 1))
        # A person who knows the way types ahead of a slow line or disk.
        self._last_wanted = not len(self._rows)

    def action_activate(self) -> None:
        """Ask for the row under the cursor."""
        if self._cursor_key is not None:
            self.post_message(self.Activated(self, self._cursor_key))

    def action_sort_next(self) -> None:
        """Order by the next column that can be sorted by, and after the last as the rows were given."""
        choices = [
            None,
            *(self._columns[at.column].key for at in self._places if self._columns[at.column].sortable),
        ]
        now = self._sorted[0]
        self.sort_by(choices[(choices.index(now) + 1) % len(choices)] if now in choices else None)

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        column, reverse = self._sorted
        if column is not None:
            self.sort_by(column, reverse=not reverse)

    def on_click(self, event: events.Click) -> None:
        """Choose a row, ask for it with a second click, or order by the column of the header."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y < _HEADER:
            self._click_header(at.x - 1)
        elif at.x < self.size.width - 1:
            index = self._view.top + at.y - _HEADER
            if index < len(self._rows):
                self._move(lambda: self._view.put(index))
                if event.chain == 2:
                    self.action_activate()

    def _click_header(self, x: int) -> None:
        """Ascending, then descending, then as given."""
        hit = next((self._columns[at.column] for at in self._places if at.x <= x <= at.x + at.width), None)
        if hit is None or not hit.sortable:
            return
        column, reverse = self._sorted
        if column != hit.key:
            self.sort_by(hit.key)
        else:
            self.sort_by(None if reverse else hit.key, reverse=not reverse)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the view down."""
        event.stop()
        self._move(lambda: self._view.scroll(self._view.top + _WHEEL))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the view up."""
        event.stop()
        self._move(lambda: self._view.scroll(self._view.top - _WHEEL))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the thumb."""
        at = event.get_content_offset(self)
        if at is not None and at.x == self.size.width - 1 and at.y >= _HEADER:
            self.capture_mouse()
            self._dragging = True
            self.on_mouse_move(event)

    def on_mouse_move(self, event: events.MouseEvent) -> None:
        """Drag the thumb."""
        if self._dragging:
            self._move(lambda: self._view.drag(event.y - self.gutter.top - _HEADER))

    def on_mouse_up(self) -> None:
        """Let go of the thumb."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()
