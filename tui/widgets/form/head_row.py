"""The head of a list or a map: how many it has, and where one is added."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.forms.draft import Draft
from tui.forms.spec import Kind, Path
from tui.text import plain
from tui.widgets.form.edit_line import EditLine, picked, said
from tui.widgets.form.row import Row
from tui.widgets.form.sheet import default_of

_ADD = 0


class HeadLine(EditLine):
    """What is there, and the key that adds to it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "add", "add", id="list.add", tooltip="Add one at the end"),
    ]

    def action_add(self) -> None:
        """Add one."""
        self.post_message(self.Picked(_ADD))


class HeadRow(Row):
    """`3 lines   + add (enter)`; the lines stand below."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield HeadLine()

    def show_value(self) -> None:
        """How many there are."""
        draft, path = self.draft, self.path
        size = draft.size(path)
        one, more = ("line", "lines") if self.spec.kind is Kind.LIST else ("entry", "entries")
        if size:
            state = f"{size:,} {one if size == 1 else more}"
        elif draft.is_none(path) or not draft.given(path):
            state = "none" if draft.is_none(path) or self.spec.required else default_of(self.spec)
        else:
            state = plain(draft.text(path), 200) or "none"
            state = "none" if state in ("[]", "{}") else state
        self.query_one(HeadLine).say(
            [
                said((state, "strong" if size else None), ("   ", None)),
                picked(_ADD, ("+ add (enter)", "running")),
            ]
        )

    @on(HeadLine.Picked)
    def _picked(self, event: HeadLine.Picked) -> None:
        event.stop()
        path = self.path

        def apply(draft: Draft) -> Path:
            return draft.add(path)

        self.edit(apply)
