"""A field whose value is typed: a text, a number, an amount of memory, a time, a path."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input

from tui.forms.draft import Draft
from tui.forms.spec import Kind
from tui.forms.tree import text_of
from tui.widgets.form.layouts import TIGHT, Columns, yielding
from tui.widgets.form.row import Row
from tui.widgets.form.sheet import default_of, is_empty
from tui.widgets.typed import Typed

NONE = "none"
"""What stands where nothing is what was asked for."""

EMPTY = "empty"
"""What stands where an empty text is."""


class TextRow(Row):
    """A line to type in; its default stands there while it is empty."""

    @property
    def has_long_value(self) -> bool:
        """Numbers, amounts and times are short, and say what they mean in the third column."""
        return self.spec.kind in (Kind.TEXT, Kind.PATH, Kind.JSON) and not self.spec.unit

    def columns(self, width: int) -> Columns:
        """Where there is little room, a value that is wrong gives of its own while nobody is in it."""
        full = super().columns(width)
        if width >= TIGHT or not self._wrong or self.has_focus_within:
            return full
        return yielding(full, self.value_at(width))

    def value_at(self, width: int) -> int:
        """Where the value begins in a line of *width* cells."""
        return super().columns(width).label

    def on_click(self, event: events.Click) -> None:
        """What is said of a value leads to it."""
        line = self.editors[-1]
        if event.screen_x >= line.region.right:
            line.focus()

    def compose(self) -> ComposeResult:
        """The line."""
        yield Typed(self.draft.text(self.path), suggestions=self.known, select_on_focus=False)

    @property
    def known(self) -> Sequence[str]:
        """What may be typed, where that is known."""
        return [text_of(choice) for choice in self.spec.choices]

    def show_value(self) -> None:
        """The text as it is, wherever it came from."""
        none = self.draft.is_none(self.path)
        self.query_one(Typed).show(self.draft.text(self.path), self._placeholder(none), none=none)

    def on_resize(self) -> None:
        """There may be a third column now, or none."""
        self.show_placeholder()

    def show_placeholder(self) -> None:
        """Only that: what was just typed may not be in the draft yet."""
        self.query_one(Typed).placeholder = self._placeholder(self.draft.is_none(self.path))

    def _placeholder(self, none: bool) -> str:
        # What has no column of its own stands here.
        told = self._third[0] if self.tight and not self._wrong else ""
        if none:
            return f"{NONE} {told}".rstrip()
        if is_empty(self.draft, self.path):
            return f"{EMPTY} {told}".rstrip()
        return default_of(self.spec) or told

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        # What it holds now: a message may be older than an undo, or than the line's place in a list.
        self.typed(event.input, event.input.value)

    def typed(self, line: Input, text: str) -> None:
        """A line holds this text now."""
        path = self.path
        if text != self.draft.text(path):

            def apply(draft: Draft) -> None:
                draft.type(path, text)

            self.edit(apply)
