"""A key that does not belong where it is: it can be removed."""

from __future__ import annotations

from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.forms.draft import Draft
from tui.forms.spec import Path
from tui.text import ascii_only, plain
from tui.widgets.form.edit_line import EditLine, picked, said
from tui.widgets.form.row import Row

_REMOVE = 0
_LONGEST = 200
"""Characters of its value that are shown."""


class StrangerLine(EditLine):
    """What it says, and the key that removes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+l",
            "remove",
            "remove",
            id="item.remove",
            tooltip="Remove this key, which does not belong here; ctrl+z brings it back",
        ),
    ]

    def action_remove(self) -> None:
        """Remove it."""
        self.post_message(self.Picked(_REMOVE))


class StrangerRow(Row):
    """`− remove (ctrl+l)   its value`."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield StrangerLine()

    def show_value(self) -> None:
        """The value, as far as there is room."""
        action = f"{'-' if ascii_only() else '−'} remove (ctrl+l)"
        value = plain(self.draft.text(self.path), _LONGEST)
        self.query_one(StrangerLine).say(
            [picked(_REMOVE, (action, "running")), said(("   ", None), (value, "muted"))]
        )

    @on(StrangerLine.Picked)
    def _picked(self, event: StrangerLine.Picked) -> None:
        event.stop()
        path, beside = self.path, self._beside

        def apply(draft: Draft) -> Path:
            draft.clear(path)
            return beside

        self.edit(apply)

    @property
    def _beside(self) -> Path:
        """Where one goes on once it is gone: the next line, else the one before."""
        rows = cast("list[Row]", list(self.siblings))
        at = self.parent.children.index(self) if self.parent else 0
        near = rows[at : at + 1] or rows[-1:]
        return near[0].path if near else self.path[:-1]
