"""What the lines of a form tell the form."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message

from tui.forms.draft import Draft
from tui.forms.spec import Path


class Edit(Message):
    """A person wants the draft changed."""

    def __init__(self, path: Path, apply: Callable[[Draft], Path | None]) -> None:
        """*apply* changes the draft at *path*, and says which field is to have the focus then, if another."""
        super().__init__()
        self.path = path
        self.apply = apply
