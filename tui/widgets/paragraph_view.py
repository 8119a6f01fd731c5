"""A few lines that tell all that is known of one thing, as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tui.widgets.line_view import Line, LineView, Piece
from tui.widgets.paragraphs import Paragraph, fits, laid_out
from tui.widgets.piece_line import MARGIN, line_of


class ParagraphView(LineView):
    """Lays its paragraphs out in the room that it has; a subclass knows what they are."""

    WHOLE: ClassVar[str] = ""
    """The key that shows all of it, for the border above it where something had no room."""

    DEFAULT_CSS = """
    ParagraphView { border-title-align: right; border-title-color: $text-muted; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self.paragraphs: Sequence[Paragraph] = ()
        """What it tells."""
        self._laid_out: list[list[Piece]] = []

    def tell(self, paragraphs: Sequence[Paragraph]) -> None:
        """Show these. Their texts are plain."""
        self.paragraphs = paragraphs
        self._lay_out()

    def on_resize(self) -> None:
        """More lines, or fewer."""
        self._lay_out()

    def _lay_out(self) -> None:
        width, height = self.size.width - 2 * MARGIN, self.size.height
        self._laid_out = laid_out(self.paragraphs, width, height)
        if self.WHOLE:
            hint = "" if fits(self.paragraphs, width, height) else f" {self.WHOLE} shows all "
            if hint != (self.border_title or ""):
                self.border_title = hint
        self.repaint()

    def line(self, y: int) -> Line:
        """One of the lines."""
        return line_of(self._laid_out[y] if y < len(self._laid_out) else (), (), self.size.width)
