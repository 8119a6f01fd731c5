"""One line of a list, with what adds, removes and moves it."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.forms.draft import Draft
from tui.forms.spec import Kind, Path
from tui.text import ascii_only
from tui.widgets.form.text_row import TextRow
from tui.widgets.line_view import Piece
from tui.widgets.typed import Typed

_HANDLES = ("↑", "↓", "−"), ("^", "v", "-")
_ACTIONS = ("move(-1)", "move(1)", "remove")
_FIRST_HANDLE = 4
"""Where the handles begin on the line: two cells of mark, two of number; each takes two cells."""


class ItemRow(TextRow):
    """`1 ↑ ↓ −  text`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "add", "add below", id="item.add", tooltip="Add one below this one"),
        Binding(
            "ctrl+l",
            "remove",
            "remove",
            id="item.remove",
            tooltip="Remove this one, as backspace does when it is empty; ctrl+z brings it back",
        ),
        Binding("alt+up,ctrl+up", "move(-1)", "move up", id="item.up", tooltip="Move this one up"),
        Binding(
            "alt+down,ctrl+down",
            "move(1)",
            "move down",
            show=False,
            id="item.down",
            tooltip="Move this one down",
        ),
    ]

    @property
    def at(self) -> int:
        """Which one it is, from 0."""
        return int(self.path[-1])

    @property
    def last(self) -> int:
        """Which one is the last."""
        return self.draft.size(self.path[:-1]) - 1

    def label(self, width: int) -> list[Piece]:
        """Its number and its handles; those that do nothing are grey."""
        pieces: list[Piece] = [(f"{self.at + 1:>2}"[-2:], self.label_style)]
        for n, sign in enumerate(_HANDLES[ascii_only()]):
            useless = (n == 0 and self.at == 0) or (n == 1 and self.at == self.last)
            pieces.append((f" {sign}", "muted" if useless else "running"))
        return pieces

    def on_click(self, event: events.Click) -> None:
        """Do what the handle says that was clicked on."""
        at, rest = divmod(event.screen_x - self.region.x - _FIRST_HANDLE, 2)
        if 0 <= at < len(_ACTIONS) and rest == 1:
            event.stop()
            self.run_handle(at)

    def run_handle(self, at: int) -> None:
        """Do what one of the handles says."""
        if at == len(_ACTIONS) - 1:
            self.action_remove()
        else:
            self.action_move(-1 if at == 0 else 1)

    def action_add(self) -> None:
        """Add one below."""
        if self.draft.unused == self.path:
            # It is there already.
            return
        path, at = self.path[:-1], self.at + 1

        def apply(draft: Draft) -> Path:
            return draft.add(path, at)

        self.edit(apply)

    def action_remove(self) -> None:
        """Remove it; the focus goes to the one that comes next, or to the head when none is left."""
        path, at, last = self.path, self.at, self.last

        def apply(draft: Draft) -> Path:
            draft.remove(path)
            return (*path[:-1], min(at, last - 1)) if last else path[:-1]

        self.edit(apply)

    def action_move(self, by: int) -> None:
        """Move it, if there is something to change places with."""
        path = self.path
        if 0 <= self.at + by <= self.last:
            self.edit(lambda draft: draft.move(path, by))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.submitted(event.input)

    def submitted(self, line: Input) -> None:
        """Enter was pressed in a line: go on with a new one."""
        self.action_add()

    @on(Typed.MoreLines)
    def _pasted(self, event: Typed.MoreLines) -> None:
        """Of many lines that are pasted into one, each becomes one of the list."""
        path, at, lines = self.path[:-1], self.at + 1, event.lines
        # Lines of JSON are parts of one value, and an entry of a map needs a name.
        if self.draft.spec(path).kind is Kind.LIST and self.spec.kind is not Kind.JSON:
            event.stop()
            self.edit(lambda draft: draft.add(path, at, lines))

    @on(Typed.Emptied)
    def _emptied(self, event: Typed.Emptied) -> None:
        """Backspace at an empty line removes it, and goes on at the end of the one before."""
        event.stop()
        path, at = self.path, self.at

        def apply(draft: Draft) -> Path:
            draft.remove(path)
            return (*path[:-1], at - 1) if at else (path[:-1] if not draft.size(path[:-1]) else path)

        if self.removable:
            self.edit(apply)

    @property
    def removable(self) -> bool:
        """Whether backspace may remove it: nothing is in it."""
        return not self.draft.text(self.path)
