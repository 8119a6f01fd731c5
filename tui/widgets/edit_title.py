"""What is edited, and how that stands: changed, wrong, edited elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget

from runners.states import State
from tui.signs import changed_mark, sign
from tui.subject import Subject
from tui.text import fit, plain, width_of

_GAP = "   "

_LONGEST = 60
"""Cells that a name has at the most, and at the least where there is little room."""

_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class EditState:
    """How what is edited stands."""

    subject: Subject
    changed: bool
    """It is not what is saved."""
    errors: int
    """How many fields are wrong."""
    elsewhere: bool
    """The file was changed by somebody else."""
    broken: bool
    """What is typed as JSON is none."""
    no_plan: bool
    """It makes no plan of the sample, though nothing is wrong with it by itself."""


class EditTitle(Widget):
    """One line: where it is narrow, first the words get short, and then the name."""

    DEFAULT_CSS = """
    EditTitle { height: 1; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._state: EditState | None = None

    def show(self, state: EditState) -> None:
        """Say how it stands."""
        self._state = state
        self.refresh()

    def render(self) -> Content:
        """The name, and all that there is to say of it."""
        if self._state is None:
            return Content()
        width, name = self.size.width, plain(self._state.subject.words, _LONGEST)
        said = Content.assemble(*_said(self._state, short=False))
        if width_of(name) + said.cell_length > width:
            said = Content.assemble(*_said(self._state, short=True))
            name = fit(name, max(_SHORTEST, width - said.cell_length)).rstrip()
        return Content.assemble((name, "bold"), said)


def _said(state: EditState, *, short: bool) -> Iterator[tuple[str, str] | str]:
    if state.subject.new:
        yield from (_GAP, ("new" if short else "new, not saved yet", "$text-accent"))
    elif state.changed:
        yield from (_GAP, (f"{changed_mark()} changed{'' if short else ', not saved'}", "$text-accent"))
    if state.errors:
        word = "error" if state.errors == 1 else "errors"
        yield from (_GAP, (f"{sign(State.FAILED).glyph} {state.errors} {word}", "$text-error"))
    if warning := _warning(state, short=short):
        yield from (_GAP, (f"! {warning}", "$text-warning"))


def _warning(state: EditState, *, short: bool) -> str:
    if state.elsewhere:
        return "changed elsewhere: F7" if short else "the file was changed elsewhere: F7 shows how"
    if state.broken:
        return "broken JSON: F3" if short else "the JSON text is broken: F3 goes there"
    if state.no_plan and not state.errors:
        return "no plan: F4" if short else "no plan for the sample: F4 tells why"
    return ""
