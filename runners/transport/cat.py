"""Reading many files at once where there is nothing to read them with but `cat`.

What it writes is told apart by a file of our own, named between all others and holding a number that nobody
knows; its errors by a file that is not there, named beside it, so that neither the language of the messages
nor an odd name matters.
"""

import asyncio
import contextlib
import functools
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runners.transport.base import ABSENT, READ_S, TransportError
from runners.transport.local import end, start

_FILES_AT_ONCE = 500
"""A command line holds 2 MB."""
_STALL_S = 5.0
"""Seconds without a byte after which a file is given up: it is a pipe, or its disk hangs."""
_CHUNK = 1 << 16

_FOLDER, _PREFIX = "/tmp", "runyard-cat-"
"""Not $TMPDIR, which may be for us alone."""
_OLD_S = 3600.0
_ERRORS = 1 << 20
"""Bytes of error messages that are kept."""


class CatError(TransportError):
    """Nothing was read at all."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a file holds, from its first byte on."""

    data: bytes = b""
    whole: bool = True
    """Whether *data* is all of it."""
    missing: bool = False
    trouble: str = ""
    """Why it can't be read, in a few words."""


class Stream:
    """The output of one `cat` of files with a *separator* before each of them and after the last. Pure."""

    def __init__(self, separator: bytes, files: int, cap: int) -> None:
        self._separator = separator
        self._files = files
        self._cap = cap
        self._rest = b""
        self.starts: list[bytearray] = []
        """What has come of the files so far; the last of them may be incomplete."""

    @property
    def done(self) -> bool:
        """Whether all files have come to their end."""
        return len(self.starts) > self._files

    @property
    def full(self) -> bool:
        """Whether the last file that has come holds more than is wanted."""
        return bool(self.starts) and len(self.starts[-1]) > self._cap

    def feed(self, data: bytes) -> None:
        """Take in some more bytes."""
        *before, rest = (self._rest + data).split(self._separator)
        for content in before:
            self._add(content)
            self.starts.append(bytearray())
        # The end may be the beginning of a separator.
        kept = max(0, len(rest) - len(self._separator) + 1)
        self._add(rest[:kept])
        self._rest = rest[kept:]

    def _add(self, content: bytes) -> None:
        # What comes before the first separator is not from a file.
        if self.starts and not self.full:
            self.starts[-1] += content


class Complaints:
    """What one `cat` complains of, file by file. Pure."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._said = bytearray()

    def feed(self, data: bytes) -> None:
        """Take in some more bytes."""
        self._said += data[: _ERRORS - len(self._said)]

    def all(self) -> str:
        """All that was said, as it is."""
        return self._said.decode("utf-8", "replace").strip()

    def of_files(self) -> Iterator[tuple[bool, str]]:
        """For each file that was begun: whether it is not there, and why else it can't be read."""
        absent = b""
        words: bytes | None = None
        for line in bytes(self._said).splitlines():
            said = line.rpartition(b": ")[2]
            if self._mark in line:
                if words is not None:
                    yield _verdict(words, absent)
                words, absent = b"", said
            elif words is not None:
                words = said
        if words is not None:
            yield _verdict(words, absent)


def _verdict(words: bytes, absent: bytes) -> tuple[bool, str]:
    text = words.decode("utf-8", "replace")
    return (True, "") if words == absent or text in ABSENT else (False, text)


async def read_starts(
    cat: Sequence[str], paths: Sequence[str], cap: int, environment: Mapping[str, str]
) -> Sequence[Start]:
    """Read files from their first byte on, each to its end or to *cap* bytes.

    Args:
        cat: the command, with what goes before it.
        paths: absolute, without NUL.
        cap: how many bytes of each file to read; where one holds more, `cat` is ended and started again.
        environment: of the command.

    Raises:
        CatError: nothing was read, since the command does not run.
        TransportError: it did not come to an end.
    """
    starts: list[Start] = []
    while len(starts) < len(paths):
        some = paths[len(starts) : len(starts) + _FILES_AT_ONCE]
        starts += await _read_some(cat, some, cap, environment)
    return starts


async def _read_some(
    cat: Sequence[str], paths: Sequence[str], cap: int, environment: Mapping[str, str]
) -> Sequence[Start]:
    nonce = secrets.token_hex(16)
    stream = Stream(f"\n{nonce}\n".encode(), len(paths), cap)
    complaints = Complaints(nonce.encode())
    with _separator(nonce) as separator:
        named = [separator, f"/nonexistent/{nonce}"]
        argv = [*cat, "--", *named, *(word for path in paths for word in (path, *named))]
        stalled = await _copy(argv, environment, stream, complaints)
    if not stream.starts:
        raise CatError(complaints.all() or ("no answer" if stalled else "it said nothing"))
    ended = stream.starts[:-1]
    starts = [
        Start(bytes(data[:cap]), len(data) <= cap, missing, trouble)
        for data, (missing, trouble) in zip(ended, complaints.of_files(), strict=False)
    ]
    if len(starts) < len(ended):
        raise TransportError("what cat complained of can't be read")
    if stream.done:
        return starts
    if stream.full:
        return [*starts, Start(bytes(stream.starts[-1][:cap]), whole=False)]
    if stalled:
        return [*starts, Start(trouble=f"it gave nothing for {_STALL_S:g} s; perhaps it is no ordinary file")]
    raise TransportError("cat was ended before it had read all files")


async def _copy(
    argv: Sequence[str], environment: Mapping[str, str], stream: Stream, complaints: Complaints
) -> bool:
    """Run `cat` until there is no more to be had of it; returns whether it had stalled."""
    process = await start(argv, environment=environment)
    assert process.stdout is not None
    assert process.stderr is not None
    reading = asyncio.create_task(_drain(process.stderr, complaints))
    try:
        while not stream.full:
            # The first byte has to wait for sudo, which may have to ask a directory service.
            patience = _STALL_S if stream.starts else READ_S
            try:
                async with asyncio.timeout(patience):
                    data = await process.stdout.read(_CHUNK)
            except TimeoutError:
                return True
            if not data:
                return False
            stream.feed(data)
        return False
    finally:
        ended_early = not process.stdout.at_eof()
        # A process that has ended counts as such once its pipes were read out.
        discarding = asyncio.create_task(_discard(process.stdout))
        if ended_early:
            await end(process)
        # When it has ended, it has said all that it has to say.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STALL_S):
                await asyncio.gather(reading, discarding, process.wait())
        await end(process)


async def _drain(reader: asyncio.StreamReader, complaints: Complaints) -> None:
    while data := await reader.read(_CHUNK):
        complaints.feed(data)


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(_CHUNK):
        pass


# Not in a thread: it is a small file on a disk of this machine, and must be gone whatever happens.
@contextmanager
def _separator(nonce: str) -> Iterator[str]:
    """A file that all users can read and that holds *nonce*, as long as it is needed."""
    _clear_away()
    descriptor, path = tempfile.mkstemp(prefix=_PREFIX, dir=_FOLDER)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o644)
            file.write(f"\n{nonce}\n".encode())
        yield path
    finally:
        os.unlink(path)


@functools.cache
def _clear_away() -> None:
    """Remove what processes of ours have left that were killed; once is enough."""
    for left in Path(_FOLDER).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            found = left.lstat()
            if found.st_uid == os.geteuid() and found.st_mtime < time.time() - _OLD_S:
                left.unlink()
