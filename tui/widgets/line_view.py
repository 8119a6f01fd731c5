"""The base of every widget that draws itself line by line and sends as few bytes as it can.

Textual writes whatever region is refreshed in full: it compares nothing with what is on the screen. Over SSH
that is most of the cost of a dashboard, so a `LineView` remembers what it drew and refreshes each line only
as far as the last cell that differs. (To say from which cell on would save nothing: the compositor of Textual
8.2.8 writes a changed line from the left edge of its widget, whatever the region says.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, NamedTuple, get_args

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.signs import Style
from tui.text import width_of

Piece = tuple[str, Style | None]
"""Plain text and what it means; None is ordinary text."""

Base = Literal["", "header", "cursor"]
"""What a whole line is."""


class Line(NamedTuple):
    """What one line of a widget shows: pieces that together fill its width exactly."""

    pieces: tuple[Piece, ...]
    base: Base = ""
    """On a header or cursor line the pieces' own styles do not count: such a line is drawn in one style."""


def changed_until(old: Line, new: Line) -> int:
    """The cells of `new`, counted from the left, that hold all in which it differs from `old`; 0 if nothing.

    Both lines are equally wide.
    """
    wide = sum(width_of(text) for text, _ in new.pieces)
    if old.base != new.base:
        return wide
    if old.pieces == new.pieces:
        return 0
    for before, after in zip(reversed(old.pieces), reversed(new.pieces), strict=False):
        if before != after:
            return wide - _common_end(before, after)
        wide -= width_of(after[0])
    return wide


def _common_end(old: Piece, new: Piece) -> int:
    """The cells that two differing pieces share at their end."""
    if old[1] != new[1] or not (old[0].isascii() and new[0].isascii()):
        return 0
    pairs = zip(reversed(old[0]), reversed(new[0]), strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(old[0]), len(new[0])))


class LineView(Widget):
    """A widget drawn line by line: a subclass says what a line shows and calls `repaint` after a change."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line--header",
        "line--cursor",
        *(f"line--{style}" for style in get_args(Style)),
    }

    DEFAULT_CSS = """
    LineView {
        background: $surface;
        color: $foreground;

        & > .line--pending, & > .line--cancelled, & > .line--muted { color: $text-muted; }
        & > .line--running { color: $text-primary; }
        & > .line--done { color: $text-success; }
        & > .line--failed { color: $text-error; }
        & > .line--unknown, & > .line--warning { color: $text-warning; }
        & > .line--requeued { color: $text-secondary; }
        & > .line--strong { text-style: bold; }
        & > .line--header {
            background: $panel;
            color: $foreground;
            text-style: bold;
        }
        & > .line--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
        }
        &:focus > .line--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }

        /* Sixteen colours have no tints, and NO_COLOR none at all: say it with the text's style there. */
        &:ansi > .line--muted, &:ansi > .line--pending, &:ansi > .line--cancelled { text-style: dim; }
        &:ansi > .line--header { text-style: bold underline; }
        &:ansi > .line--cursor, &:nocolor > .line--cursor {
            background: transparent;
            color: $foreground;
            text-style: reverse;
        }
        &:ansi:focus > .line--cursor, &:nocolor:focus > .line--cursor { text-style: bold reverse; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._drawn: dict[int, Line] = {}
        self._styles_of: dict[str, RichStyle] = {}

    def line(self, y: int) -> Line:
        """What the line `y` of the widget shows, from 0 at its top; its width is `self.size.width`."""
        raise NotImplementedError

    def repaint(self, lines: Iterable[int] | None = None) -> None:
        """Refresh what has changed in these lines, or in all. A line that is as it was costs nothing."""
        width, height = self.size
        if not (width and height):
            # Nobody sees it. Once somebody does, Textual draws what it has kept, unless it was told.
            self.refresh()
            return
        regions = []
        for y in range(height) if lines is None else lines:
            drawn = self._drawn.get(y)
            cells = width if drawn is None else changed_until(drawn, self.line(y))
            if cells:
                regions.append(Region(0, y, cells, 1))
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Draw one line (Textual's line API)."""
        line = self.line(y)
        self._drawn[y] = line
        if line.base:
            text = "".join(text for text, _ in line.pieces)
            return Strip([Segment(text, self._style_of(line.base))], self.size.width)
        segments = []
        style: Style | None = None
        for text, meaning in line.pieces:
            # A segment costs a whole escape sequence on the wire; blanks look alike in all of these styles.
            style = style if text.isspace() else meaning
            segments.append(Segment(text, self._style_of(style or "")))
        return Strip(segments, self.size.width).simplify()

    def notify_style_update(self) -> None:
        """Forget resolved styles: the theme, or what the widget is, has changed."""
        super().notify_style_update()
        self._styles_of.clear()

    def _style_of(self, name: str) -> RichStyle:
        style = self._styles_of.get(name)
        if style is None:
            style = self.get_component_rich_style(f"line--{name}") if name else self.rich_style
            self._styles_of[name] = style
        return style
