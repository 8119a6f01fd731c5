"""Yes or no, as a sign and not by colour alone."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class Tick(Widget, can_focus=True):
    """`[x] label`: space, enter or a click turns it. (Textual's Checkbox shows its cross in either case.)"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "turn", "turn", show=False, id="tick.turn"),
    ]

    DEFAULT_CSS = """
    Tick {
        width: auto;
        height: 1;
        &:focus { background: $block-cursor-blurred-background; text-style: bold; }
    }
    """

    value = reactive(False)
    """Whether it is ticked."""

    class Changed(Message):
        """The person has turned it."""

    def __init__(self, label: str, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._label = label

    def render(self) -> Content:
        """Box and label."""
        return Content.assemble(("[x]" if self.value else "[ ]", "bold $primary"), f" {self._label}")

    def action_turn(self) -> None:
        """The other way."""
        self.value = not self.value
        self.post_message(self.Changed())

    def on_click(self) -> None:
        """The other way."""
        self.action_turn()
