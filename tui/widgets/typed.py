"""The line to type in: of every field, filter and question of the dashboard."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style as RichStyle
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive
from textual.strip import Strip
from textual.suggester import SuggestFromList
from textual.widgets import Input

from tui.text import LONGEST, ascii_only, ellipsis, pad, pictured, width_of


class Typed(Input):
    """A line of text, harmless whatever it holds, that can be brought up to date while somebody types."""

    DEFAULT_CSS = """
    Typed {
        background: $panel;
        padding: 0 1;
        &.-textual-compact { padding: 0 1; }
        &:focus { background: $block-cursor-blurred-background; background-tint: transparent; }
        &.-none > .input--placeholder { color: $foreground 80%; text-style: italic; }
    }
    """

    # Textual lays the whole screen out anew whenever this changes: half the cost of a key.
    virtual_size = Reactive(Size(0, 0), layout=False)

    class Emptied(Message):
        """Somebody wants to remove more than there is: the line is empty."""

    class MoreLines(Message):
        """More was pasted than the line that stands here: what comes behind it, without empty lines."""

        def __init__(self, lines: Sequence[str]) -> None:
            super().__init__()
            self.lines = lines

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        password: bool = False,
        suggestions: Sequence[str] = (),
        select_on_focus: bool = True,
        id: str | None = None,  # noqa: A002 (Textual's name)
    ) -> None:
        super().__init__(
            value, placeholder, password=password, select_on_focus=select_on_focus, compact=True, id=id
        )
        self.cursor_blink = False
        self.offer(suggestions)

    def offer(self, suggestions: Sequence[str]) -> None:
        """Complete what is typed to one of these, which are untrusted."""
        # What is completed is drawn as it is, and taken as it is: one that would be drawn otherwise is none.
        harmless = [each for each in suggestions if pictured(each) == each]
        self.suggester = SuggestFromList(harmless, case_sensitive=False) if harmless else None

    def show(self, value: str, placeholder: str, *, none: bool = False) -> None:
        """Show this, without telling that it was typed. The cursor stays where it can.

        With *none* the placeholder is what is given, not what stands for it.
        """
        if self.value != value:
            with self.prevent(Input.Changed):
                self.value = value
        if self.placeholder != placeholder:
            self.placeholder = placeholder
        if self.has_class("-none") != none:
            self.set_class(none, "-none")

    def on_paste(self, event: events.Paste) -> None:
        """Textual takes the first line, and drops the rest."""
        if more := [line for line in event.text.splitlines()[1:] if line.strip()]:
            self.post_message(self.MoreLines(more))

    def action_delete_left(self) -> None:
        """Delete a character; where there is none, say so."""
        if self.value:
            super().action_delete_left()
        else:
            self.post_message(self.Emptied())

    # Textual draws an Input's text as it is: an escape sequence in a file would act on the terminal.

    def validate_placeholder(self, placeholder: str) -> str:
        """A hint may name what is in a file."""
        return pictured(placeholder)

    def on_focus(self) -> None:
        """Have the cursor seen, but not before a click that brings the focus went where it was made."""
        self.call_next(self._show_beginning)
        self.call_after_refresh(self._show_cursor)

    def _show_beginning(self) -> None:
        # As it was seen without the focus, wherever the cursor stood.
        self.scroll_to(x=0, animate=False, force=True, immediate=True)

    def _show_cursor(self) -> None:
        if self.has_focus:
            at = Region(self._cursor_offset, 0, width=1, height=1)
            self.scroll_to_region(at, force=True, animate=False)

    def render_line(self, y: int) -> Strip:
        """Draw it; what has no room ends in an ellipsis, unless somebody types (Textual's line API)."""
        if y or self.has_focus:
            return super().render_line(y)
        width = self.scrollable_content_region.width
        style = RichStyle() if self.value else self.get_component_rich_style("input--placeholder")
        shown = pad(self._shown or self.placeholder, width)
        return Strip([Segment(shown, style)], width).apply_style(self.rich_style)

    @property
    def _shown(self) -> str:
        # As many characters as there are typed, for the cursor counts them; but no more than is ever shown.
        value, more = self.value, ""
        if len(value) > LONGEST:
            value, more = value[: LONGEST - 1], ellipsis()
        if self.password:
            return ("*" if ascii_only() else "•") * len(value)
        return pictured(value) + more

    @property
    def _value(self) -> Text:
        return Text(self._shown, no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return width_of(self._shown[:position])

    def _cell_offset_to_index(self, offset: int) -> int:
        # Not cell by cell: some characters are as wide as they are because of the one behind them.
        at, ends = offset + self.scroll_offset.x, range(1, len(self._shown) + 1)
        return bisect_right(ends, at, key=self._position_to_cell)
