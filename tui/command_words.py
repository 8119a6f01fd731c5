"""A command that was run on a resource, in words. Imports no textual: the command line prints them too.

What a cluster replied is untrusted, and made harmless only by whoever shows it.
"""

from __future__ import annotations

from runners.config.units import format_time
from runners.states import State
from runners.store.rows import CommandRow
from tui.signs import Sign, sign


def failed(row: CommandRow) -> bool:
    """Whether it did not do what it was run for, as far as is known."""
    return row.code != 0


def result_state(row: CommandRow) -> State:
    """What became of it; unknown where it gave no answer."""
    if row.code is None:
        return State.UNKNOWN
    return State.FAILED if row.code else State.DONE


def result_sign(row: CommandRow) -> Sign:
    """The same as sign and word, with its exit code where that is not 0."""
    shown = sign(result_state(row))
    if row.code is None:
        return Sign(shown.glyph, "no answer", shown.style)
    if row.code < 0:
        return Sign(shown.glyph, f"signal {-row.code}", shown.style)
    return Sign(shown.glyph, f"exit {row.code}" if row.code else "done", shown.style)


def place_words(place: str) -> str:
    """Where and as whom a command was run, without the key that gets one there; untrusted."""
    return place.partition(" (")[0]


def took_words(row: CommandRow) -> str:
    """How long it took: `19 ms`, `3.4 s`."""
    return f"{row.seconds * 1000:.0f} ms" if row.seconds < 0.9995 else format_time(row.seconds)


def reply_words(row: CommandRow) -> str:
    """The line of its reply that tells most: of what went wrong the last, else the first that it printed."""
    lines = (row.err.strip() or row.out.strip()) if failed(row) else (row.out.strip() or row.err.strip())
    said = [line for line in lines.splitlines() if line.strip()]
    if not said:
        return ""
    return said[-1] if failed(row) else said[0]
