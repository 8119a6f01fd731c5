"""All that the command line prints.

Whatever comes from outside (names, reasons, logs) goes through `plain` or `LogStream` on its way to a person,
and through JSON on its way to a program. Every other module hands its lines to this one.
"""

from __future__ import annotations

import getpass
import io
import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from runners.states import State
from tui.signs import sign
from tui.text import LONGEST, as_typed, fit, pad, plain, width_of

WIDTH = 80
"""Cells of a line where the terminal does not tell its own width."""

_LEAST = 8
"""Cells that a column is never cut below."""

_ALIGNED = 40
"""Cells up to which texts of any length are aligned where nothing is cut: else one long text would put blanks
behind all others."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    align: Literal["left", "right"] = "left"
    stretches: bool = False
    """Its texts may be long: it is cut where the terminal has no room for all, the widest of these first."""
    keep: Literal["start", "end"] = "start"
    """Which side of a text stays when it is cut."""


def line(text: str = "") -> None:
    """Print one line for a person."""
    print(plain(text, len(text) + 1))


def note(text: str) -> None:
    """Print a line that is no result, to standard error."""
    print(plain(f"runyard: {text}", len(text) + 16), file=sys.stderr, flush=True)


def data(value: Any) -> None:
    """Print *value* as one line of JSON."""
    print(json.dumps(value), flush=True)


def document(value: Any) -> None:
    """Print *value* as JSON that a person can read and edit."""
    print(json.dumps(value, indent=2))


def array(values: Iterable[Any]) -> None:
    """Print *values* as one JSON array with a value on each line; they need not fit into memory."""
    between = "["
    for value in values:
        print(between + json.dumps(value), end="")
        between = ",\n "
    print("[]" if between == "[" else "]")


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print *rows* under the titles of *columns*, aligned, and in a terminal no wider than it is.

    Elsewhere nothing is cut, and what is too long moves what is behind it, in its own line only.
    """
    terminal = to_terminal()
    shown = [[plain(cell, LONGEST if terminal else len(cell) + 1) for cell in row] for row in rows]
    widths = [
        max(width_of(column.title), *(width_of(row[place]) for row in shown), 0)
        for place, column in enumerate(columns)
    ]
    free = [place for place, column in enumerate(columns) if column.stretches]
    if terminal:
        _narrow(widths, free)
    else:
        for place in free:
            widths[place] = min(widths[place], _ALIGNED)
    for row in [[column.title for column in columns], *shown]:
        cells = [
            pad(cell, width if terminal else max(width, width_of(cell)), column.align, column.keep)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        print("  ".join(cells).rstrip())


def _narrow(widths: list[int], free: Sequence[int]) -> None:
    """Take from the columns at *free* until a line fits into the terminal, or nothing is left to take."""
    for _ in range(sum(widths) + 2 * (len(widths) - 1) - terminal_width() if free else 0):
        widest = max(free, key=lambda place: widths[place])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Print what is known of one thing, a line each; empty ones are left out."""
    given = [(name, value) for name, value in pairs if value]
    width = max(len(name) for name, _ in given)
    for name, value in given:
        line(f"{name:<{width}}  {value}")


def path(of: str) -> str:
    """A path, or words that begin with one: for a person as they would type it, for a program in full."""
    return as_typed(of) if to_terminal() else of


def state(of: State) -> str:
    """A state as sign and word."""
    shown = sign(of)
    return f"{shown.glyph} {shown.word}"


def status(text: str) -> None:
    """Show *text* in place of the status before, where standard error is a terminal."""
    if sys.stderr.isatty():
        shown = fit(plain(text), terminal_width() - 1)
        print(f"\r\x1b[K{shown}", end="", file=sys.stderr, flush=True)


def end_status() -> None:
    """Take the status away."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def flush() -> None:
    """Let a reader have what was printed so far."""
    sys.stdout.flush()


def text(content: str) -> None:
    """Print *content*, which was made harmless before, as it is."""
    print(content, end="", flush=True)


def raw(content: bytes) -> None:
    """Hand *content* on byte for byte: for a program, never for a terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def to_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def terminal_width() -> int:
    """Cells of a line of the terminal."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def asked(label: str, *, echo: bool) -> str:
    """What a person types behind *label*, without its line break; unseen unless *echo*.

    Raises:
        EOFError: nobody types anything any more.
    """
    label = f"{plain(label).rstrip().removesuffix(':')}: "
    if not echo:
        return getpass.getpass(label)
    print(label, end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline()
    if not typed:
        raise EOFError
    return typed.rstrip("\n")


def agreed(question: str) -> bool:
    """Whether a person says yes to *question*; anything else, or nothing at all, is a no."""
    try:
        return asked(f"{question} [y/N]", echo=True).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def can_ask() -> bool:
    """Whether there is a person at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def set_up() -> None:
    """Make standard output able to print any text, whatever the encoding; give what is closed a stand-in."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        # None where the file descriptor was closed by whoever started us.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))
        elif name != "stdin" and isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up() -> None:
    """After a reader has gone: let nothing more be written, also not at the exit of the interpreter."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
