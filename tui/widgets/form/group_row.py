"""Whether an optional group is there at all."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.forms.draft import Draft
from tui.text import ascii_only
from tui.widgets.form.edit_line import EditLine, picked, said
from tui.widgets.form.row import Row
from tui.widgets.form.sheet import NOT_GIVEN

_TOGGLE = 0


class GroupLine(EditLine):
    """What is there, and the key that changes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space,enter",
            "turn",
            "add or remove",
            id="group.toggle",
            tooltip="Have this group, or not; ctrl+z brings it back",
        ),
    ]

    def action_turn(self) -> None:
        """The other way."""
        self.post_message(self.Picked(_TOGGLE))


class GroupRow(Row):
    """`none   + add (space)`, or the other way round."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield GroupLine()

    def show_value(self) -> None:
        """Whether it is there."""
        draft, path = self.draft, self.path
        if draft.present(path):
            state, action = "given", f"{'-' if ascii_only() else '−'} remove (space)"
        else:
            none = draft.given(path) or self.spec.none is not None
            state, action = "none" if none else NOT_GIVEN, "+ add (space)"
        self.query_one(GroupLine).say(
            [said((state, "strong"), ("   ", None)), picked(_TOGGLE, (action, "running"))]
        )

    @on(GroupLine.Picked)
    def _picked(self, event: GroupLine.Picked) -> None:
        event.stop()
        path, spec = self.path, self.spec

        def apply(draft: Draft) -> None:
            if not draft.present(path):
                draft.fill(path)
            elif spec.required:
                draft.nothing(path)
            else:
                draft.clear(path)

        self.edit(apply)
