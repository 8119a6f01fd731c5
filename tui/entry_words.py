"""A resource or profile in words: how it stands, and where it leads. Imports no textual."""

from __future__ import annotations

from runners.states import State
from tui.inventory import Entry
from tui.signs import Style, changed_mark, sign


def where_words(entry: Entry) -> str:
    """Where it leads, in short: untrusted."""
    return f"{entry.where}, {entry.partition}" if entry.partition else entry.where


def state_of(entry: Entry) -> tuple[str, str, Style]:
    """How it stands: sign, word and meaning. What keeps it from being used goes before what does not."""
    if entry.new:
        return changed_mark(), "not saved", "warning"
    if entry.problem:
        return sign(State.FAILED).glyph, "broken", "failed"
    if entry.bare:
        return "!", "no profile", "warning"
    if entry.paused:
        return "!", "paused", "warning"
    return sign(State.DONE).glyph, "valid", "done"
