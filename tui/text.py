"""Untrusted text made harmless for a terminal, and cut to a width in cells.

Names of items, files, runs and everything a program prints may hold anything: escape sequences, line breaks,
marks that turn the writing direction. What comes out of `plain` is one line that moves no cursor, changes no
colour and reads no differently from what it holds. Imports no textual: the command line prints through it.
"""

from __future__ import annotations

import functools
import locale
import os
import unicodedata
from collections.abc import Iterator
from typing import Literal

from rich.cells import cell_len, chop_cells, set_cell_size, split_text

LONGEST = 4096
"""Characters of one text that are ever shown: a path's greatest length on Linux."""

MARKS = 4
"""Combining marks that one letter may carry; more is no language but a stack that leaves its line."""

_SUBSTITUTE = "\ufffd"
_CONTROL_PICTURES = 0x2400
_DELETE_PICTURE = "\u2421"
# Category by category: controls, formats (direction marks, joiners, tags), lone surrogates, line separators.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MARK = frozenset({"Mn", "Me"})


def plain(text: str, limit: int = LONGEST) -> str:
    """`text` as one harmless line of at most `limit` characters, with an ellipsis where more was cut off.

    Control characters become their pictures (U+2400 and up), other characters that act instead of showing
    become U+FFFD. Wide characters and combining marks stay.
    """
    if len(text) > limit:
        text = text[: limit - 1] + ellipsis()
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(text))


def pictured(text: str) -> str:
    """`text` made harmless character by character: as long as it was, for a cursor that stands in it."""
    if text.isprintable():
        return text
    return "".join(
        _picture(character) if unicodedata.category(character) in _HARMFUL else character
        for character in text
    )


def _harmless(text: str) -> list[str]:
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARK else 0
        # Variation selectors change how wide a terminal draws the letter before, and terminals disagree.
        if marks > MARKS or "\ufe00" <= character <= "\ufe0f":
            continue
        shown.append(_picture(character) if category in _HARMFUL else character)
    return shown


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    return _DELETE_PICTURE if code == 0x7F else _SUBSTITUTE


def width_of(text: str) -> int:
    """The cells that plain `text` takes in a terminal."""
    return cell_len(text)


def fit(text: str, width: int, keep: Literal["start", "end"] = "start") -> str:
    """Plain `text` cut to at most `width` cells, with an ellipsis where something is missing.

    `keep="end"` cuts at the beginning: the end of a path says more than its beginning.
    """
    cells = cell_len(text)
    if cells <= max(0, width):
        return text
    if width <= 0:
        return ""
    if keep == "end":
        return ellipsis() + split_text(text, cells - width + 1)[1]
    return set_cell_size(text, width - 1) + ellipsis()


def pad(
    text: str, width: int, align: Literal["left", "right"] = "left", keep: Literal["start", "end"] = "start"
) -> str:
    """Plain `text` in exactly `width` cells: cut by `fit`, or filled with spaces."""
    text = fit(text, width, keep)
    blank = " " * (width - cell_len(text))
    return text + blank if align == "left" else blank + text


def wrapped(text: str, width: int) -> Iterator[str]:
    """Plain `text` in lines of at most `width` cells (1 or more), broken between words where it can be."""
    line = ""
    for n, word in enumerate(text.split(" ")):
        joined = f"{line} {word}" if n else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *full, line = chop_cells(word, width) or [""]
        yield from full
    yield line


def as_typed(path: str) -> str:
    """A path, or words that begin with one, as a person would type it: with ~ for their home."""
    home = os.path.expanduser("~")
    return f"~{path.removeprefix(home)}" if home != "/" and path.startswith(f"{home}/") else path


@functools.cache
def ascii_only() -> bool:
    """Whether the terminal is to be given ASCII signs only.

    So when `RUNYARD_ASCII` is set to anything but 0, or when the locale's encoding is not UTF-8. Asked once.
    """
    asked = os.environ.get("RUNYARD_ASCII", "")
    if asked:
        return asked != "0"
    return locale.getencoding().replace("-", "").lower() != "utf8"


def ellipsis() -> str:
    """The sign, one cell wide, for text that was cut off."""
    return "~" if ascii_only() else "…"
