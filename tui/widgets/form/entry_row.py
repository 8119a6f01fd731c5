"""One entry of a map: a key and a value beside each other."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input

from tui.forms.draft import Draft
from tui.forms.spec import FieldSpec
from tui.widgets.form.item_row import ItemRow
from tui.widgets.form.layouts import value_at
from tui.widgets.typed import Typed


class EntryRow(ItemRow):
    """`1 ↑ ↓ −  key  value`."""

    @property
    def _map(self) -> FieldSpec:
        return self.draft.spec(self.path[:-1])

    def value_at(self, width: int) -> int:
        """Behind the key."""
        return value_at(width, long=self.long)

    def compose(self) -> ComposeResult:
        """Key and value."""
        yield Typed(self.draft.key(self.path), suggestions=self._map.keys, select_on_focus=False)
        yield Typed(self.draft.text(self.path), suggestions=self.known, select_on_focus=False)

    def show_value(self) -> None:
        """Both as they are."""
        key, value = self.query(Typed)
        key.show(self.draft.key(self.path), "key")
        value.show(self.draft.text(self.path), "value")

    def show_placeholder(self) -> None:
        """They are always the same."""

    def typed(self, line: Input, text: str) -> None:
        """The key or the value is this text now."""
        path = self.path
        if line is self.children[1]:
            super().typed(line, text)
        elif text != self.draft.key(path):

            def apply(draft: Draft) -> None:
                draft.rename(path, text)

            self.edit(apply)

    def submitted(self, line: Input) -> None:
        """From the key to the value, and from there to a new entry."""
        if line is self.children[0]:
            self.children[1].focus()
        else:
            self.action_add()

    @property
    def removable(self) -> bool:
        """Whether backspace may remove it: neither key nor value is in it."""
        return not self.draft.text(self.path) and not self.draft.key(self.path)
