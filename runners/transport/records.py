"""What is kept of the commands that are run on a resource, for people who want to know what was done."""

import re
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runners.environment import is_secret
from runners.transport.base import NOT_RUN, Command, Part, Reply

KEPT_LENGTH = 2048
"""Characters that are kept of a command, and of each of its two outputs."""

_REDACTED = "[redacted]"
_SETTING = re.compile(
    r"""(?<![\w-])-{0,2}(?P<name>[A-Za-z_][\w-]*)(?:=|["']\s*[:=]\s*)(?P<value>"[^"]*"|'[^']*'|\S+)""",
    re.ASCII,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [^-]*-----|\Z)", re.DOTALL)
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)")


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """One command, as it was run. All text comes from outside, and what looks secret is not in it."""

    time: float
    """When it was begun, in seconds since 1970."""
    place: str
    """See `BaseRunner.place`."""
    command: str
    """As one would type it."""
    code: int | None
    """Its exit code, negative for a signal; None where its answer was lost."""
    seconds: float
    out: str
    err: str


Record = Callable[[CommandRecord], None]
"""Takes a record in; must neither block nor raise."""


class Recorder:
    """Makes the records of one place. Without a *record* to take them, it does nothing."""

    def __init__(self, place: str, record: Record | None) -> None:
        self._place = place
        self._record = record

    def ran(self, command: Command, reply: Reply | None, seconds: float, trouble: str = "") -> None:
        """A command was run; without a *reply*, its answer was lost by *trouble*."""
        if self._record is None or (reply is not None and reply.code == NOT_RUN):
            return
        typed = _cut(shlex.join(redacted(_cut(word)) for word in command.argv))
        if command.stdin:
            typed += f" < {len(command.stdin):,} bytes"
        if reply is None:
            self._add(typed, None, seconds, "", trouble)
        else:
            self._add(typed, reply.code, seconds, _kept(reply.out), _kept(reply.err))

    def has_read(self, parts: Sequence[Part | None], seconds: float) -> None:
        """Files were read."""
        if self._record is None or not parts:
            return
        size = sum(len(part.data) for part in parts if part is not None)
        troubles = [part.trouble for part in parts if part is not None and part.trouble]
        files = "1 file" if len(parts) == 1 else f"{len(parts)} files"
        amount = f"{size} bytes" if size < 1000 else f"{size / 1000:,.0f} kB"
        self._add(f"read {files}, {amount}", 0, seconds, "", _kept("\n".join(troubles).encode()))

    def _add(self, command: str, code: int | None, seconds: float, out: str, err: str) -> None:
        if self._record is not None:
            began = time.time() - seconds
            self._record(CommandRecord(began, self._place, command, code, seconds, out, err))


def redacted(text: str) -> str:
    """*text* without what looks secret: values of telling names, private keys, passwords in addresses."""
    text = _PRIVATE_KEY.sub(_REDACTED, text)
    text = _IN_ADDRESS.sub(_REDACTED, text)
    pieces: list[str] = []
    place = 0
    while match := _SETTING.search(text, place):
        pieces.append(text[place : match.start("value")])
        if is_secret(match["name"].replace("-", "_")):
            pieces.append(_REDACTED)
            place = match.end()
        else:
            # Its value may be a setting, too.
            place = match.start("value")
    return "".join([*pieces, text[place:]])


def _kept(output: bytes) -> str:
    return redacted(_cut(output[: 4 * KEPT_LENGTH + 4].decode("utf-8", "replace")))


def _cut(text: str) -> str:
    return text if len(text) <= KEPT_LENGTH else f"{text[:KEPT_LENGTH]} ..."
