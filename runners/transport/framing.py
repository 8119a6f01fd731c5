"""What is written to a shell that stays open, and how its answers are told apart. Pure.

An exchange is one compound command, so that a shell that gets only a part of it does nothing at all. What it
answers stands between marks, on both outputs, which hold a number that nobody knows: banners, start-up files,
odd names and other languages shift nothing. The words beginning with `_ry_` are functions and variables of
the preamble.
"""

import base64
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runners.transport.base import ABSENT, NOT_RUN, TOO_LATE, Command, Part, Piece, Reply, fault_of, trouble

START = """exec /bin/sh -c 'while read -r _ry; do eval "$(head -c "$_ry")"; done'"""
"""What opens a shell, in words that any shell understands that people may have there: one that takes in whole
texts, see :func:`message`. Scripts on their standard input are read by the byte, by bash and others.
"""

_BEFORE = 4096

_REGULAR = range(0x8000, 0x9000)
"""The modes of ordinary files; see inode(7)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A mark, and what came before it."""

    content: bytes
    words: tuple[str, ...]
    arrived: float
    """By the clock of whoever has read it."""


class Frames:
    """Finds the marks in one of the outputs of a shell. What comes before the first one is not an answer."""

    def __init__(self, nonce: str) -> None:
        self._mark = f"\n@{nonce} ".encode()
        self._rest = bytearray()
        self._searched = 0
        self.found: list[Frame] = []
        self.before = b""
        """The first bytes of what came before the first mark."""

    @property
    def done(self) -> bool:
        """Whether the last mark has come."""
        return bool(self.found) and self.found[-1].words == ("end",)

    @property
    def rest(self) -> bytes:
        """What has come since the last mark."""
        return bytes(self._rest)

    @property
    def waiting(self) -> int:
        """Bytes that have come since the last mark."""
        return len(self._rest)

    def feed(self, data: bytes, now: float) -> None:
        """Take in some more bytes."""
        self._rest += data
        while True:
            begin = self._rest.find(self._mark, self._searched)
            end = self._rest.find(b"\n", begin + len(self._mark)) if begin >= 0 else -1
            if end < 0:
                # The end may be the beginning of a mark.
                self._searched = begin if begin >= 0 else max(0, len(self._rest) - len(self._mark))
                return
            words = self._rest[begin + len(self._mark) : end].decode("ascii", "replace").split()
            content = bytes(self._rest[:begin])
            if not self.found:
                self.before, content = content[:_BEFORE], b""
            self.found.append(Frame(content, tuple(words), now))
            del self._rest[: end + 1]
            self._searched = 0


def message(text: bytes) -> bytes:
    """What is sent for a shell to run *text*. One that gets only a part runs that part."""
    return b"%d\n%b" % (len(text), text)


def exchange_script(
    commands: Sequence[Command], pieces: Sequence[Piece], nonce: str, *, timeout_s: float, stop: bool
) -> bytes:
    """The text that runs *commands* and reads *pieces*.

    Raises:
        ValueError: an argument holds a NUL.
    """
    lines = [b"_ry_stop=%d _ry_failed=0" % stop]
    lines += [_run(command, nonce, timeout_s) for command in commands]
    good = [piece for piece in pieces if fault_of(piece.path) is None]
    if good:
        names = b" ".join(_quoted(piece.path) for piece in good)
        # Names are long: each of them goes over the line only once.
        lines.append(b"_ry_files() {\n_ry_call=$1 _ry_skip=$2\nset -- %b" % names)
        lines.append(b'shift "$_ry_skip"\n"$_ry_call" "$@"\n}\n_ry_number=0\n_ry_look')
        lines += [b"_ry_part %d %d" % (piece.offset, max(0, piece.limit)) for piece in good]
    return _script(lines, nonce)


def fetch_script(paths: Sequence[str], limit: int, nonce: str) -> bytes:
    """The text that sends whole files of at most *limit* bytes, as one archive; all *paths* are good."""
    names = b"".join(_bytes(path) + b"\n" for path in paths)
    word = nonce.encode()
    fetch = b"_ry_fetch %d <<'%b' || _ry_mark 126\n%b%b" % (limit + 1, word, names, word)
    return _script([fetch], nonce)


def marks_of(commands: Sequence[Command], pieces: Sequence[Piece]) -> tuple[int, int]:
    """How many marks come on standard output and on standard error, when there is an answer to everything."""
    good = sum(fault_of(piece.path) is None for piece in pieces)
    return (len(commands) + good + 2, len(commands) + 2)


def replies_of(
    commands: Sequence[Command], out: Sequence[Frame], err: Sequence[Frame], timeout_s: float
) -> list[tuple[Reply, float]]:
    """The answers to *commands* that have come so far, and the seconds that each took."""
    replies: list[tuple[Reply, float]] = []
    for index, command in enumerate(commands, start=1):
        if len(out) <= index or len(err) <= index:
            break
        seconds = out[index].arrived - out[index - 1].arrived
        reply = _reply(command, out[index], err[index].content, seconds, timeout_s)
        replies.append((reply, seconds))
    return replies


def parts_of(pieces: Sequence[Piece], out: Sequence[Frame]) -> list[Part | None]:
    """The answers to *pieces*: *out* are their marks on standard output, and the last one."""
    # What a piece holds comes before the next mark.
    answers = pairwise(out)
    parts: list[Part | None] = []
    for piece in pieces:
        if fault := fault_of(piece.path):
            parts.append(trouble(piece.path, fault))
        else:
            header, after = next(answers)
            parts.append(_part(piece.path, header.words, after.content))
    return parts


def _script(lines: Sequence[bytes], nonce: str) -> bytes:
    # The first mark goes before the compound command: it tells how long the line takes, whatever follows.
    begin = b"_ry_nonce=%b; _ry_mark begin\n" % nonce.encode()
    return begin + b"\n".join([b"{", *lines, b"_ry_mark end", b"}", b""])


def _run(command: Command, nonce: str, timeout_s: float) -> bytes:
    line = b"_ry_run %.3f " % timeout_s + b" ".join(_quoted(word) for word in command.argv)
    data, word = command.stdin, nonce.encode()
    if not data:
        return b"_ry_coded=0\n%b </dev/null" % line
    # A shell's text can hold no NUL, and always ends its last line.
    coded = not data.endswith(b"\n") or b"\0" in data
    # The shell may have no room to keep the text while the command reads it: then it is not run at all.
    return b"_ry_coded=%d\n%b <<'%b' || _ry_unrun\n%b%b" % (
        coded,
        line,
        word,
        base64.encodebytes(data) if coded else data,
        word,
    )


def _quoted(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("an argument can't hold a NUL")
    return _bytes(shlex.quote(text))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _reply(command: Command, mark: Frame, err: bytes, seconds: float, timeout_s: float) -> Reply:
    if mark.words == ("none",):
        return Reply(NOT_RUN, b"", b"")
    code = int(mark.words[0])
    # timeout(1) itself ends by the signal when it had to use its last means.
    if code == TOO_LATE or (code == 128 + 9 and seconds >= timeout_s):
        words = f"{command.argv[0]} gave no answer within {timeout_s:g} s".encode()
        return Reply(TOO_LATE, mark.content, err or words)
    return Reply(code, mark.content, err)


def _part(path: str, header: Sequence[str], data: bytes) -> Part | None:
    if header[0] == "none":
        why = " ".join(header[1:])
        return trouble(path, why) if why and why not in ABSENT else None
    mode, offset, size = header
    if mode == "closed":
        return trouble(path, "Permission denied")
    if int(mode, 16) not in _REGULAR:
        return trouble(path, "it is not a regular file")
    # It may have grown since it was looked at.
    return Part(data, int(offset), max(int(size), int(offset) + len(data) if data else 0))
