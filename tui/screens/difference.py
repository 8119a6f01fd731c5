"""What saving would change, line by line, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.screens.choose import Choice
from tui.text import plain

_TONES = {"+": "$text-success", "-": "$text-error", "@": "$foreground 50%"}


class Difference(ModalScreen[str | None]):
    """The difference, and what can be done about it; the key of that, None for nothing."""

    CSS_PATH = "difference.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "dismiss(None)", "back", id="difference.back", tooltip="Go on editing"),
        Binding("y", "first", "yes", show=False, id="difference.yes", tooltip="What the first button says"),
        Binding("down,j", "scroll(1)", "down", show=False, id="difference.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="difference.up"),
        Binding("pagedown", "scroll(10)", "page down", show=False, id="difference.page_down"),
        Binding("pageup", "scroll(-10)", "page up", show=False, id="difference.page_up"),
        Binding("left,h", "app.focus_previous", "previous", show=False, id="difference.previous"),
        Binding("right,l", "app.focus_next", "next", show=False, id="difference.next"),
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        choices: Sequence[Choice],
        *,
        more: str = "",
        back: str = "Back",
    ) -> None:
        """*lines* are those of a unified diff; *choices* become buttons, of which the first, if any, is `y`.

        Each has the first letter of its key as well. All texts are untrusted. *more* is said above the lines.
        """
        super().__init__()
        self._title = title
        self._lines = lines
        self._choices = choices
        self._more = more
        self._back = back

    def compose(self) -> ComposeResult:
        """The lines, and a button for each choice."""
        with Vertical(id="difference") as frame:
            frame.border_title = Content(plain(self._title, 70))
            keys = [(choice.key[0], choice.name.lower()) for choice in self._choices]
            frame.border_subtitle = "   ".join(f"{key} {name}" for key, name in [*keys, ("esc", "back")])
            with VerticalScroll(id="lines", can_focus=False):
                if self._more:
                    yield Static(Content(plain(self._more)), id="more")
                yield Static(self._shown())
            with Horizontal(id="answers"):
                yield Button(self._back, id="back", compact=True)
                for choice in self._choices:
                    yield Button(choice.name, id=choice.key, compact=True, tooltip=choice.about)

    def on_mount(self) -> None:
        """Enter does what the person came for; nothing is lost by it, for the file's backup is kept."""
        self.query_one(f"#{self._choices[0].key}" if self._choices else "#back").focus()

    def on_resize(self) -> None:
        """The difference gets all lines but those of the frame, the buttons, and one above and below.

        In cells: where a frame is as high as what it holds, Textual takes no share of the screen for a limit.
        """
        self.query_one("#lines").styles.max_height = max(3, self.app.size.height - 6)

    def _shown(self) -> Content:
        lines = [Content.styled(plain(line), _TONES.get(line[:1], "")) for line in self._lines]
        return Content("\n").join(lines) if lines else Content("Nothing differs.")

    def action_first(self) -> None:
        """The first choice, if there is any."""
        if self._choices:
            self.dismiss(self._choices[0].key)

    def on_key(self, event: events.Key) -> None:
        """Each choice has the first letter of its key."""
        choice = next((each for each in self._choices if each.key[0] == event.key), None)
        if choice is not None:
            event.stop()
            self.dismiss(choice.key)

    def action_scroll(self, lines: int) -> None:
        """Up or down, where there is more than fits."""
        self.query_one("#lines").scroll_relative(y=lines, animate=False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(None if event.button.id == "back" else event.button.id)
