"""One of a few things to choose from, over a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.text import plain


class Choice(NamedTuple):
    """One of them. The texts are plain."""

    key: str
    """What is returned."""
    name: str
    about: str


class Choose(ModalScreen[str | None]):
    """The key of what was chosen; None where nothing was."""

    CSS_PATH = "choose.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "back", id="choose.back", tooltip="Leave everything as it is"),
        Binding("j", "cursor_down", "down", show=False, id="choose.down"),
        Binding("k", "cursor_up", "up", show=False, id="choose.up"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], *, more: str = "") -> None:
        """*more* is said above the choices."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._more = more

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(id="choose") as frame:
            frame.border_title = Content(plain(self._title, 60))
            frame.border_subtitle = "enter choose   esc back"
            if self._more:
                yield Static(Content(self._more), id="more")
            yield OptionList(*map(self._option, self._choices), id="choices")

    def _option(self, choice: Choice) -> Option:
        return Option(
            Content.assemble(
                (plain(choice.name, 60), "bold"), "\n", (plain(choice.about), "$foreground 60%")
            ),
            id=choice.key,
        )

    def action_cursor_down(self) -> None:
        """To the next one."""
        self.query_one(OptionList).action_cursor_down()

    def action_cursor_up(self) -> None:
        """To the one before."""
        self.query_one(OptionList).action_cursor_up()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option.id)
