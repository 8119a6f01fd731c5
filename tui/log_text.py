"""A growing log as the lines that a terminal would be left with, and nothing that could act on a terminal.

Imports no textual. Escape sequences are taken out, a carriage return goes back to the beginning of the line
(so that a progress bar is one line and not ten thousand), and what is left is made harmless by `plain`.
Memory is bounded whatever comes: 200 MB, one line without an end, nothing but NULs.
"""

from __future__ import annotations

import codecs
import re
from collections import deque

from tui.text import plain

KEPT_LINES = 20_000
KEPT_CHARACTERS = 1_000_000
"""Only the end of a log is kept: at most so many lines, and so many characters."""

AT_ONCE = 256_000
"""Bytes of one `feed` that are looked at, the last ones: the worst of them take a fraction of a second."""

LONGEST_LINE = 2000
"""Characters after which a line goes on as another one."""

_TAB = 8
_UNFINISHED = 2000
"""Characters of an escape sequence that are waited for; one that is longer is shown."""

# Escape sequences as in ECMA-48; a "string" is a title, a clipboard or a picture.
_STRING = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*"
_CONTROL_SEQUENCE = r"(?:\x1b\[|\x9b)(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"
_TOKEN = re.compile(
    r"(?P<text>[^\n\r\x08\t\x1b\x90\x98\x9b\x9d-\x9f]+)"
    r"|(?P<motion>[\n\r\x08\t])"
    rf"|{_CONTROL_SEQUENCE}"
    rf"|{_STRING}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
    rf"|(?P<unfinished>(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*|{_STRING}\x1b?|\x1b[ -/]*)\Z)"
    r"|(?P<broken>.)"
)


class LogText:
    """The last lines of a log that comes in pieces. All of its lines are plain."""

    def __init__(self, skipped: int = 0) -> None:
        """A log of which the first `skipped` bytes will not be given."""
        self.skipped_bytes = skipped
        """Bytes that were never looked at: there was too much before, or at once."""
        self.dropped = 0
        """Lines that were kept for a while and are not any longer."""
        self._lines: deque[str] = deque()
        self._characters = 0
        self._begin()

    def _begin(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unfinished = ""
        self._open = ""
        self._column = 0

    def __len__(self) -> int:
        return len(self._lines) + bool(self._open)

    def __getitem__(self, index: int) -> str:
        """A kept line, counted from 0; the last one may not have ended yet."""
        return self._lines[index] if index < len(self._lines) else self._open

    def feed(self, data: bytes) -> None:
        """Take in the next bytes of the log; give it pieces of no more than `AT_ONCE`."""
        if len(data) > AT_ONCE:
            self.skipped_bytes += len(data) - AT_ONCE
            data = data[-AT_ONCE:]
            self._begin()
        text = self._unfinished + self._decoder.decode(data)
        self._unfinished = ""
        for token in _TOKEN.finditer(text):
            if token["motion"]:
                self._move(token["motion"])
            elif token["final"] == "K":
                self._erase(token["parameters"])
            elif token["unfinished"] and len(token["unfinished"]) <= _UNFINISHED:
                self._unfinished = token["unfinished"]
            elif shown := token["text"] or token["broken"] or token["unfinished"]:
                for start in range(0, len(shown), LONGEST_LINE):
                    self._write(plain(shown[start : start + LONGEST_LINE]))

    def _move(self, motion: str) -> None:
        if motion == "\n":
            self._end_line()
        elif motion == "\t":
            self._write(" " * (_TAB - self._column % _TAB))
        else:
            self._column = max(0, self._column - 1) if motion == "\b" else 0

    def _erase(self, parameters: str) -> None:
        """Erase in line: to its end, or all of it. The cursor stays."""
        if parameters in ("", "0"):
            self._open = self._open[: self._column]
        elif parameters == "2":
            self._open = ""

    def _write(self, text: str) -> None:
        at = 0
        while at < len(text):
            part = text[at : at + LONGEST_LINE - self._column]
            at += len(part)
            after = self._column + len(part)
            self._open = self._open[: self._column].ljust(self._column) + part + self._open[after:]
            self._column = after
            if after == LONGEST_LINE:
                self._end_line()

    def _end_line(self) -> None:
        self._lines.append(self._open)
        self._characters += len(self._open)
        self._open = ""
        self._column = 0
        while len(self._lines) > KEPT_LINES or self._characters > KEPT_CHARACTERS:
            self._characters -= len(self._lines.popleft())
            self.dropped += 1
