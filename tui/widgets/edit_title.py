"""What is edited, and how that stands: changed, wrong, edited elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from runners.states import State
from tui.signs import sign
from tui.subject import Subject
from tui.text import plain


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


class EditTitle(Static):
    """One line."""

    DEFAULT_CSS = """
    EditTitle { height: 1; padding: 0 1; }
    """

    def show(self, state: EditState) -> None:
        """Say how it stands."""
        parts: list[tuple[str, str] | str] = [(plain(state.subject.words, 60), "bold")]
        if state.subject.new:
            parts += ["   ", ("new, not saved yet", "$text-accent")]
        elif state.changed:
            parts += ["   ", ("• changed, not saved", "$text-accent")]
        if state.errors:
            word = "error" if state.errors == 1 else "errors"
            parts += ["   ", (f"{sign(State.FAILED).glyph} {state.errors} {word}", "$text-error")]
        if warning := _warning(state):
            parts += ["   ", (f"! {warning}", "$text-warning")]
        self.update(Content.assemble(*parts))


def _warning(state: EditState) -> str:
    if state.elsewhere:
        return "the file was changed elsewhere: F7 shows how"
    if state.broken:
        return "the JSON text is broken: F3 goes there"
    if state.no_plan and not state.errors:
        return "no plan for the sample: F4 tells why"
    return ""
