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
        Binding("m", "besides", "more", id="confirm.besides", tooltip="Do it otherwise, where it can be"),
        Binding("right,l", "app.focus_next", "other", id="confirm.other", tooltip="Go to the next button"),
        Binding("left,h", "app.focus_previous", "other", id="confirm.before", tooltip="Go to the one before"),
    ]

    def __init__(
        self,
        question: Callable[[], str],
        *,
        yes: str,
        no: str,
        more: str,
        besides: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """*question* and *more* are plain text; *yes* and *no* are what the buttons say.

        *question* is asked for anew whenever there is news, so that its numbers are never old ones.
        *besides* is what can be done in place of both, after a no: what its button says, and what it does.
        """
        super().__init__()
        self.VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-low")]
        self._question = question
        self._more = more
        self._yes = yes
        self._no = no
        self._besides = besides

    def compose(self) -> ComposeResult:
        """Question, what it means, the buttons."""
        with Vertical(id="confirm") as frame:
            frame.border_subtitle = "y yes   n no" if self._besides is None else "y yes   n no   m more"
            yield Static(Content(self._question()), id="question")
            yield Static(Content(self._more), id="more")
            with Horizontal(id="answers"):
                if self._besides is not None:
                    yield Button(self._besides[0], id="besides", compact=True)
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

    def action_besides(self) -> None:
        """Do what is offered besides."""
        if self._besides is not None:
            self.dismiss(False)
            # Not from here: whatever it asks would be answered to a screen that has gone.
            self.app.call_later(self._besides[1])

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "besides":
            self.action_besides()
        else:
            self.dismiss(event.button.id == "yes")
