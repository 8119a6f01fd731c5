"""Logs made harmless for a terminal, piece by piece, as they are printed."""

from __future__ import annotations

import codecs
import re

from tui.text import plain

_PASSES = re.compile(r"\x1b\[[0-9;:]*m|[\n\t]|\r\n?")
"""What means the same in a log and on a terminal: colours, line breaks, tabs."""

_UNFINISHED = re.compile(r"(?:\x1b(?:\[[0-9;:]{0,64})?|\r)\Z")
"""The end of a piece, which the next one may turn into something that passes."""

_PLAIN = "\x1b[0m"


class LogStream:
    """Turns the bytes of one log, as they come, into text that is safe to print.

    Colours, line breaks and tabs pass. A carriage return, with which programs draw over a line, becomes a
    line break. All other control characters become pictures, and what is no UTF-8 becomes U+FFFD.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._coloured = False

    def feed(self, data: bytes) -> str:
        """What *data*, the next bytes of the log, looks like."""
        text = self._held + self._decoder.decode(data)
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        self._held = text[cut:]
        return self._harmless(text[:cut])

    def end(self) -> str:
        """What is left when no more bytes come; colours are switched off."""
        text = self._harmless(self._held + self._decoder.decode(b"", final=True))
        self._held = ""
        return text + _PLAIN if self._coloured else text

    def _harmless(self, text: str) -> str:
        shown: list[str] = []
        end = 0
        for match in _PASSES.finditer(text):
            shown.append(_pictured(text[end : match.start()]))
            shown.append("\n" if match[0][0] == "\r" else match[0])
            self._coloured |= match[0][0] == "\x1b"
            end = match.end()
        shown.append(_pictured(text[end:]))
        return "".join(shown)


def _pictured(text: str) -> str:
    return plain(text, len(text) + 1)
