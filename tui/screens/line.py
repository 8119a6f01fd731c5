"""A name or a path that a person is asked for, over a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from runners.config.errors import ConfigError
from runners.store.database import StoreError
from tui.text import plain
from tui.widgets.typed import Typed

Attempt = Callable[[str], Awaitable[None]]
"""What a text is for. Raises ConfigError or StoreError, with a sentence, where that can't be done."""


class AskLine(ModalScreen[str | None]):
    """One line to type in; None where the person thought better of it."""

    CSS_PATH = "line.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", id="line.back", tooltip="Leave everything as it is"),
    ]

    def __init__(
        self,
        title: str,
        *,
        about: str,
        value: str = "",
        goes_on: bool = False,
        fault: Callable[[str], str] = lambda _: "",
        attempt: Attempt | None = None,
    ) -> None:
        """*about* says what is wanted; *fault* why a text can't be taken, empty where it can.

        *value* stands there to begin with. What is typed is added to it where it *goes_on*, else replaces it.

        *attempt* is what the text is for: where it fails, the line stays, with the reason below it.
        """
        super().__init__()
        self._title = title
        self._about = about
        self._value = value
        self._goes_on = goes_on
        self._fault = fault
        self._attempt = attempt

    def compose(self) -> ComposeResult:
        """What is wanted, the line, and what is wrong with it."""
        with Vertical(id="line") as frame:
            frame.border_title = Content(plain(self._title, 60))
            frame.border_subtitle = "enter ok   esc back"
            yield Static(Content(self._about), id="about")
            yield Typed(self._value, select_on_focus=not self._goes_on, id="typed")
            yield Static("", id="fault")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        # An empty line is no mistake as yet.
        self._say(self._fault(event.value.strip()) if event.value.strip() else "")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        fault = self._fault(text) if text else "Type something, or leave with esc."
        self._say(fault)
        if not fault:
            self.run_worker(self._try(text), group="attempt", exclusive=True, exit_on_error=False)

    async def _try(self, text: str) -> None:
        if self._attempt is not None:
            try:
                await self._attempt(text)
            except (ConfigError, StoreError) as error:
                self._say(str(error))
                return
        self.dismiss(text)

    def _say(self, fault: str) -> None:
        self.query_one("#fault", Static).update(Content(plain(fault)))
