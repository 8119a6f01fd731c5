"""The line to type in that all fields share whose value is a text, a number or a path."""

from __future__ import annotations

from rich.text import Text
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.suggester import SuggestFromList
from textual.widgets import Input

from tui.text import pictured, width_of


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

    def __init__(
        self,
        value: str,
        *,
        suggestions: tuple[str, ...] = (),
        id: str | None = None,  # noqa: A002 (Textual's name)
    ) -> None:
        suggester = SuggestFromList(suggestions, case_sensitive=False) if suggestions else None
        super().__init__(value, compact=True, select_on_focus=False, suggester=suggester, id=id)
        self.cursor_blink = False

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

    def action_delete_left(self) -> None:
        """Delete a character; where there is none, say so."""
        if self.value:
            super().action_delete_left()
        else:
            self.post_message(self.Emptied())

    # Textual draws an Input's text as it is: an escape sequence in a file would act on the terminal.

    @property
    def _value(self) -> Text:
        return Text(pictured(self.value), no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return width_of(pictured(self.value[:position]))

    def _cell_offset_to_index(self, offset: int) -> int:
        shown = pictured(self.value)
        at = offset + self.scroll_offset.x
        cells = 0
        for index, character in enumerate(shown):
            cells += width_of(character)
            if at < cells:
                return index
        return len(shown)
