"""The title of a table, how much of it is shown, and the filter that says which."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui.widgets.typed import Typed


class FilterLine(Horizontal):
    """One line: `Runs  7 of 128   / state:failed`."""

    DEFAULT_CSS = """
    FilterLine {
        height: 1;
        padding: 0 1;
        & > .filter-line--title { width: auto; }
        & > .filter-line--mark { width: 5; padding: 0 1 0 3; color: $primary; display: none; }
        & > Typed {
            width: 1fr; display: none; background: transparent;
            &.-textual-compact { padding: 0; }
            &:focus { background: $surface; }
        }
        &.-filtering > Typed, &.-filtering > .filter-line--mark { display: block; }
    }
    """

    class Changed(Message):
        """The person has typed another filter."""

        def __init__(self, line: FilterLine, text: str) -> None:
            super().__init__()
            self.line = line
            self.text = text

        @property
        def control(self) -> FilterLine:
            """The line that was typed in."""
            return self.line

    class Left(Message):
        """The person is done with the filter, and goes on in the table."""

        def __init__(self, line: FilterLine) -> None:
            super().__init__()
            self.line = line

        @property
        def control(self) -> FilterLine:
            """The line that was left."""
            return self.line

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "clear",
            "clear the filter",
            id="filter.clear",
            tooltip="Show everything again and go back to the table",
        ),
        Binding(
            "down",
            "leave",
            "to the table",
            show=False,
            id="filter.leave",
            tooltip="Keep the filter and go to the table",
        ),
    ]

    def __init__(self, title: str, *, placeholder: str, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._title = title
        self._placeholder = placeholder
        self._said = Content()

    def compose(self) -> ComposeResult:
        """Title, mark and field."""
        yield Static(Content(self._title), classes="filter-line--title", markup=False)
        yield Static("/", classes="filter-line--mark", markup=False)
        yield Typed(placeholder=self._placeholder)

    @property
    def text(self) -> str:
        """The filter as it stands."""
        return self.query_one(Input).value

    def ask(self) -> None:
        """Let the person type."""
        self.add_class("-filtering")
        self.query_one(Input).focus()

    def say(self, shown: int, total: int, more: str = "") -> None:
        """Tell how many of how many are shown, and *more* beside it."""
        number = f"{total:,}" if shown == total else f"{shown:,} of {total:,}"
        said = Content.assemble((self._title, "bold"), "  ", (number, "$foreground 60%"))
        if more:
            said = Content.assemble(said, "  ", (more, "$foreground 60%"))
        if said != self._said:
            self._said = said
            self.query_one(".filter-line--title", Static).update(said)

    def action_clear(self) -> None:
        """Drop the filter and leave."""
        self.query_one(Input).value = ""
        self.action_leave()

    def action_leave(self) -> None:
        """Keep the filter and leave."""
        self.set_class(bool(self.text), "-filtering")
        self.post_message(self.Left(self))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()
