"""Some lines of text in pieces, as many as there are to show."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size

from tui.widgets.line_view import Line, LineView, Piece
from tui.widgets.piece_line import line_of


class PieceLines(LineView):
    """As high as what it says; a line that says what it said before is not drawn again."""

    DEFAULT_CSS = """
    PieceLines { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._lines: Sequence[Sequence[Piece]] = ()

    def show(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Say this. The texts are plain."""
        grown = len(lines) != len(self._lines)
        self._lines = lines
        if grown:
            self.refresh(layout=True)
        else:
            self.repaint()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One for each line (Textual asks)."""
        return len(self._lines)

    def line(self, y: int) -> Line:
        """One of them."""
        return line_of(self._lines[y] if y < len(self._lines) else (), (), self.size.width)
