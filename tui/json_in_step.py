"""The JSON text beside a form, in step with the form's draft both ways."""

from __future__ import annotations

from runners.config.json_text import NOTHING
from tui.forms.draft import Draft
from tui.widgets.json_pane import JsonPane


class JsonInStep:
    """Goes between a draft and its text: what is typed in one stands in the other as well.

    A text that is no JSON stays as it is typed, and the draft as it was before.
    """

    def __init__(self, draft: Draft, pane: JsonPane) -> None:
        self._draft = draft
        self._pane = pane
        self._of = -1
        """The revision of the draft that the text says, or would say if it were not broken."""
        self._opened = ""
        """The text of a file that is no JSON, as it stands here."""

    @property
    def behind(self) -> bool:
        """Whether something was typed in the form that the text does not say yet."""
        return self._of != self._draft.revision

    @property
    def half_typed(self) -> bool:
        """Whether the text is no JSON, and not what the file holds: it is nowhere else."""
        return self._pane.broken and self._pane.text != self._opened

    def show(self) -> None:
        """The text says what the draft holds, whatever it was."""
        self._of = self._draft.revision
        self._pane.show(self._draft.document)

    def follow(self) -> None:
        """The text says what was typed in the form, unless it is no JSON."""
        if self.behind and not self._pane.broken:
            self.show()

    def begin(self) -> None:
        """Somebody goes to the text: it says what was typed in the form; what they type is another step."""
        self._draft.settle()
        self.follow()

    def open(self, text: str) -> object:
        """Show the text of a file that is no JSON; returns its document where it is some all the same."""
        self._pane.show_text(text)
        self._opened = self._pane.text
        # With a sign in place of what is no UTF-8 it may be.
        return self._pane.document()

    def typed(self) -> object:
        """What somebody types in the text at this moment, be its message on the way; `NOTHING` if nobody."""
        return self._pane.document() if self._pane.has_focus_within else NOTHING

    def replace(self, document: object, *, typing: bool = False) -> None:
        """The draft holds this document, which the text says, or is about to.

        *typing* it in the text is one step to undo, letter for letter.
        """
        self._draft.replace(document, typing=typing)
        self._of = self._draft.revision

    def tell_fault(self) -> None:
        """Say below the text what is wrong in it first, if anything."""
        where, fault = next(iter(self._draft.errors.items()), ((), ""))
        # The line is short: the field and what it is part of.
        name = ".".join(self._draft.dotted(where).split(".")[-2:])
        self._pane.tell_fault(f"{name} {fault}".strip())
