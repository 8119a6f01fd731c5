"""Which stretch of a long list is in view, and where the cursor is. Pure arithmetic on whole rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from tui.text import ascii_only


class Viewport:
    """A window of `page` rows onto a list of `count`, with a cursor that may be scrolled out of it."""

    def __init__(self) -> None:
        self.count = 0
        self.page = 1
        self.top = 0
        """The first row in view."""
        self.cursor = 0

    @property
    def lowest(self) -> int:
        """The last row that may be at the top."""
        return max(0, self.count - self.page)

    @property
    def rows(self) -> range:
        """The rows in view, also where there are fewer of them."""
        return range(self.top, self.top + self.page)

    def resize(self, page: int) -> None:
        """Have room for `page` rows, at least one; a cursor in view stays in view."""
        seen = self.cursor in self.rows
        self.page = max(1, page)
        self.scroll(self.top)
        if seen:
            self.put(self.cursor)

    def put(self, index: int) -> None:
        """Move the cursor to a row, or the nearest there is, and the view no further than that takes."""
        self.cursor = max(0, min(index, self.count - 1))
        self.scroll(max(self.cursor - self.page + 1, min(self.top, self.cursor)))

    def scroll(self, top: int) -> None:
        """Move the view, as far as there are rows, and leave the cursor where it is."""
        self.top = max(0, min(top, self.lowest))

    def turn(self, pages: int) -> None:
        """Move cursor and view together by whole pages."""
        self.scroll(self.top + pages * self.page)
        self.put(self.cursor + pages * self.page)

    def settle(self, before: Sequence[str], index_of: Callable[[str], int | None], count: int) -> None:
        """Rows came, went or moved: keep the cursor on its row, and that row on its line of the screen.

        `before` are the keys as they were, `index_of` says where a key is now. A cursor that is out of view
        does not pull the view along: the row at the top stays there instead. A view of the very first row
        stays at the top, so that new first rows are seen.
        """
        was, top, seen = self.cursor, self.top, self.cursor in self.rows
        self.count = count
        self.cursor = _after(before, was, index_of)
        if not seen:
            self.scroll(_after(before, top, index_of))
        elif top:
            self.scroll(self.cursor - (was - top))
        else:
            self.put(self.cursor)

    def thumb(self, line: int) -> str:
        """What the edge of the window shows at one of its lines: how far down the view is."""
        if self.count <= self.page:
            return " "
        length = max(1, self.page * self.page // self.count)
        start = self.top * (self.page - length) // self.lowest
        return ("|" if ascii_only() else "▐") if start <= line < start + length else " "

    def drag(self, line: int) -> None:
        """Scroll so that the thumb is at that line of the window."""
        self.scroll(line * self.count // self.page - self.page // 2)


def _after(before: Sequence[str], index: int, index_of: Callable[[str], int | None]) -> int:
    """Where the row is now that was at `index`, or else the nearest that followed it, or went before."""
    for n in chain(range(index, len(before)), range(min(index, len(before)) - 1, -1, -1)):
        now = index_of(before[n])
        if now is not None:
            return now
    return 0
