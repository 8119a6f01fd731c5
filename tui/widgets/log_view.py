"""A log that is being written, as it grows."""

from __future__ import annotations

import time
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.timer import Timer

from runners.config.units import format_mb
from tui.log_text import LogText
from tui.signs import Style
from tui.text import ascii_only, fit, pad, plain
from tui.widgets.line_view import Line, LineView
from tui.widgets.viewport import Viewport

_FOOT = 1
_WHEEL = 3
_SIDEWAYS = 20
_PAUSE = 0.25
"""Seconds between two pictures of a log that keeps growing: a full one is some kilobytes on the wire."""


class LogView(LineView, can_focus=True):
    """The end of a log, following it as it grows until somebody scrolls back.

    Its last line says whether it follows, and how much of the log is not there.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False, id="log.up"),
        Binding("down,j", "move(1)", "down", show=False, id="log.down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="log.page-up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="log.page-down"),
        Binding(
            "end,G", "follow", "follow", id="log.follow", tooltip="To the end, and stay there as it grows"
        ),
        Binding("home,g", "start", "first line", id="log.first", tooltip="To the first line there is"),
        Binding(
            "left",
            "shift(-1)",
            "sideways",
            key_display="← →",
            id="log.left",
            tooltip="Along lines that are longer than the screen is wide",
        ),
        Binding("right", "shift(1)", "right", show=False, id="log.right"),
    ]

    DEFAULT_CSS = """
    LogView { height: 1fr; }
    """

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 (Textual's name)
        empty: str = "no output yet",
    ) -> None:
        """A view that says `empty` where the log has no lines."""
        super().__init__(id=id)
        self._empty = empty
        self._text = LogText()
        self._view = Viewport()
        self._following = True
        self._ended = False
        self._left = 0
        self._painted = 0.0
        self._waiting: Timer | None = None

    @property
    def line_count(self) -> int:
        """How many lines of the log it holds."""
        return len(self._text)

    def reset(self, skipped: int = 0, *, empty: str | None = None) -> None:
        """Begin another log, of which the first `skipped` bytes will not be given, and follow it."""
        self._text = LogText(skipped)
        self._view.count = 0
        self._view.scroll(0)
        self._following = True
        self._ended = False
        self._left = 0
        if empty is not None:
            self._empty = empty
        self.repaint()

    def append(self, data: bytes) -> None:
        """Take in the next bytes of the log, whatever they are. They are drawn at once or a little later."""
        dropped = self._text.dropped
        self._text.feed(data)
        self._view.count = len(self._text)
        self._place(self._view.top - (self._text.dropped - dropped))
        if self._waiting is not None:
            return
        due = self._painted + _PAUSE - time.monotonic()
        if due <= 0:
            self._paint()
        else:
            self._waiting = self.set_timer(due, self._paint)

    def finish(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self.repaint()

    def _place(self, top: int) -> None:
        """Have that line at the top, or the end in view when following."""
        self._measure()
        self._view.scroll(self._view.lowest if self._following else top)

    def _measure(self) -> None:
        # A border that comes with the focus changes the room without an event.
        self._view.page = max(1, self.size.height - _FOOT)

    def _paint(self) -> None:
        self._waiting = None
        self._painted = time.monotonic()
        self.repaint()

    # -- drawing

    def line(self, y: int) -> Line:
        """A line of the log, or the last line, which says what is seen of it."""
        width = self.size.width
        if y == self.size.height - _FOOT:
            return self._foot(width)
        index = self._view.top + y
        if not len(self._text):
            return Line(((pad(plain(self._empty) if y == 0 else "", width), "muted"),))
        text = self._text[index][self._left :] if index < len(self._text) else ""
        return Line(((pad(text, width - 1), None), (self._view.thumb(y), "muted")))

    def _foot(self, width: int) -> Line:
        style: Style = "running" if self._following else "warning"
        if self._ended:
            style, says = "muted", "ended"
        elif self._following:
            says = ("* " if ascii_only() else "● ") + "following"
        else:
            below = self._view.lowest - self._view.top
            says = ("= " if ascii_only() else "‖ ") + f"{below:,} lines below, end follows again"
        lines = len(self._text)
        more = [f"{lines:,} line{'s' * (lines != 1)}"]
        if self._left:
            more.append(f"from column {self._left + 1}")
        missing = []
        if self._text.skipped_bytes:
            missing.append(format_mb(self._text.skipped_bytes / 1e6))
        if self._text.dropped:
            missing.append(f"{self._text.dropped:,} lines")
        if missing:
            more.append(f"the first {' and '.join(missing)} not shown")
        says = fit(says + (", " if self._ended else "   "), width)
        return Line(((says, style), (pad(", ".join(more), width - len(says)), "muted")))

    # -- what people do

    def on_resize(self) -> None:
        """Stay at the end, or where it was."""
        self._place(self._view.top)
        # Textual may have drawn the new size before it said so.
        self.repaint()

    def _go(self, top: int) -> None:
        """Move the view. At the end it follows, anywhere else it does not."""
        self._measure()
        self._view.scroll(top)
        self._following = self._view.top == self._view.lowest
        self.repaint()

    def action_move(self, by: int) -> None:
        """Move by lines."""
        self._go(self._view.top + by)

    def action_page(self, by: int) -> None:
        """Move by pages."""
        self._go(self._view.top + by * self._view.page)

    def action_start(self) -> None:
        """Go to the first line there is."""
        self._go(0)

    def action_follow(self) -> None:
        """Go to the end, and stay there."""
        self._go(self._view.lowest)

    def action_shift(self, by: int) -> None:
        """Move sideways, along lines that are longer than the screen is wide."""
        self._left = max(0, self._left + by * _SIDEWAYS)
        self.repaint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down."""
        event.stop()
        self._go(self._view.top + _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up."""
        event.stop()
        self._go(self._view.top - _WHEEL)
