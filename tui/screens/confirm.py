"""A question before something that can't be taken back. The answer nobody gives is no."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Confirm(ModalScreen[bool]):
    """Asks a question that names what it acts on; True when the person said yes."""

    CSS_PATH = "confirm.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape,q", "answer(False)", "no", id="confirm.no", tooltip="Leave everything as it is"),
        Binding("left,right,h,l", "other", "other", id="confirm.other", tooltip="Go to the other button"),
    ]

    def __init__(self, question: Callable[[], str], *, yes: str, no: str, more: str) -> None:
        """*question* and *more* are plain text; *yes* and *no* are what the buttons say.

        *question* is asked for anew whenever there is news, so that its numbers are never old ones.
        """
        super().__init__()
        self.VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-low")]
        self._question = question
        self._more = more
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """Question, what it means, two buttons."""
        with Vertical(id="confirm") as frame:
            frame.border_subtitle = "y yes   n no"
            yield Static(Content(self._question()), id="question")
            yield Static(Content(self._more), id="more")
            with Horizontal(id="answers"):
                yield Button(self._no, id="no", compact=True)
                yield Button(self._yes, id="yes", compact=True)

    def on_mount(self) -> None:
        """Whoever just presses enter has not agreed to anything."""
        self.query_one("#no").focus()

    def ask_anew(self) -> None:
        """There is news: the question may have other numbers."""
        asked = Content(self._question())
        static = self.query_one("#question", Static)
        if static.content != asked:
            static.update(asked)

    def action_answer(self, answer: bool) -> None:
        """Give the answer."""
        self.dismiss(answer)

    def action_other(self) -> None:
        """From one button to the other."""
        self.focus_next()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")
