"""How commands fail: one sentence, and an exit code that a script can use."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command returns."""

    OK = 0
    UNSUCCESSFUL = 1
    """The command did its part, but the work did not succeed."""
    BAD_INPUT = 2
    """Nothing was done: what was asked for can't be."""
    NOT_FOUND = 3
    """There is no such run, task, resource or profile."""
    UNAVAILABLE = 4
    """The store or the engine can't be used."""
    INTERRUPTED = 130
    """Ended with Ctrl-C."""
    READER_GONE = 141
    """Whoever read the output has gone, as `head` does."""


class Failure(Exception):
    """The command can't be carried out; the text is one sentence for a person."""

    def __init__(self, message: str, code: ExitCode = ExitCode.BAD_INPUT) -> None:
        super().__init__(message)
        self.code = code
