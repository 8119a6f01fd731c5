"""Commands and files of this machine, as the user we are."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence

from runners.batches import Line
from runners.environment import own_environment
from runners.transport.base import (
    NOT_RUN,
    TOO_LATE,
    Command,
    Exchange,
    Part,
    Piece,
    Reply,
    Transport,
    TransportError,
    trouble,
)
from runners.transport.records import Record, Recorder

_GRACE_S = 2.0
"""Seconds that a process has to end by itself, once it was told to."""


class LocalTransport(Transport):
    """This machine. File work is done in threads, because a disk may be slow and a mount may hang."""

    def __init__(self, record: Record | None = None) -> None:
        self._records = Recorder("local", record)

    @property
    def line(self) -> Line:
        """See :attr:`Transport.line`."""
        return Line(up=True)

    async def exchange(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece] = (),
        *,
        timeout_s: float,
        stop: bool = False,
    ) -> Exchange:
        """See :meth:`Transport.exchange`. Cancelling kills the command that runs."""
        replies = await in_turn(commands, lambda one: run_here(one, timeout_s=timeout_s), self._records, stop)
        parts = await asyncio.to_thread(lambda: [_read(piece) for piece in pieces])
        return Exchange(replies, parts)

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        """See :meth:`Transport.fetch`."""
        return await asyncio.to_thread(lambda: [_fetch(path, limit) for path in paths])

    async def write(self, files: Mapping[str, bytes]) -> None:
        """Write files whole, readable by their owner only: each is there entirely or as it was before.

        Raises:
            TransportError: a file can't be written.
        """
        await asyncio.to_thread(_write_all, files)

    async def make_folders(self, paths: Sequence[str]) -> None:
        """See :meth:`Transport.make_folders`."""
        await asyncio.to_thread(_make_folders, paths)

    async def remove(self, path: str) -> None:
        """Remove a folder and all in it; no error where there is none.

        Raises:
            TransportError: it can't be removed.
        """
        await asyncio.to_thread(_remove, path)

    async def close(self) -> None:
        """See :meth:`Transport.close`; there is nothing to let go of."""


async def in_turn(
    commands: Sequence[Command],
    run: Callable[[Command], Awaitable[Reply]],
    records: Recorder,
    stop: bool,
) -> list[Reply]:
    """Run one command after the other, with *stop* up to the first that fails; keep records of them."""
    replies: list[Reply] = []
    for command in commands:
        if stop and replies and replies[-1].code:
            replies.append(Reply(NOT_RUN, b"", b""))
            continue
        began = time.monotonic()
        try:
            reply = await run(command)
        except TransportError as error:
            records.ran(command, None, time.monotonic() - began, str(error))
            raise
        records.ran(command, reply, time.monotonic() - began)
        replies.append(reply)
    return replies


async def run_here(
    command: Command, *, timeout_s: float, environment: Mapping[str, str] | None = None
) -> Reply:
    """Run a command on this machine. Cancelling ends it.

    Raises:
        TransportError: it can't be started.
    """
    name = command.argv[0]
    # A file, not a pipe: were we killed while filling a pipe, sbatch would take half a script for all of it.
    stdin = await asyncio.to_thread(_input, command.stdin) if command.stdin else DEVNULL
    try:
        process = await start(command.argv, stdin=stdin, environment=environment)
    finally:
        if stdin != DEVNULL:
            os.close(stdin)
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await process.communicate()
    except TimeoutError:
        return Reply(TOO_LATE, b"", f"{name} gave no answer within {timeout_s:g} s".encode())
    finally:
        await end(process)
    return Reply(process.returncode or 0, out, err)


async def start(
    argv: Sequence[str], *, stdin: int = DEVNULL, environment: Mapping[str, str] | None = None
) -> Process:
    """Start a process of this machine in the folder ``/``; whoever starts it has to :func:`end` it.

    Raises:
        TransportError: it can't be started.
    """
    env = own_environment() if environment is None else environment
    try:
        return await asyncio.create_subprocess_exec(
            *argv, stdin=stdin, stdout=PIPE, stderr=PIPE, cwd="/", env=env
        )
    except (OSError, ValueError) as error:
        raise TransportError(f"{argv[0]!r} can't be started: {words(error)}") from error


async def end(process: Process) -> None:
    """End a process, if it has not ended. Takes a few seconds at most, whatever it does."""
    # SIGTERM first: sudo hands it on, but killed itself, it leaves its command behind.
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await process.wait()


def words(error: Exception) -> str:
    """What an error says, without its number and file names."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _input(data: bytes) -> int:
    """A descriptor that *data* can be read from, all of it."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            return os.dup(file.fileno())
    except OSError as error:
        raise TransportError(f"the input of a command can't be kept: {words(error)}") from error


def _read(piece: Piece) -> Part | None:
    try:
        # Not to wait for ever where a task has put a pipe in the place of its log.
        descriptor = os.open(piece.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return trouble(piece.path, "it is not a regular file")
            size = found.st_size
            offset = max(0, size + piece.offset) if piece.offset < 0 else piece.offset
            return Part(os.pread(descriptor, piece.limit, offset), offset, size)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        return trouble(piece.path, words(error))


def _fetch(path: str, limit: int) -> bytes | None:
    part = _read(Piece(path, 0, limit))
    return None if part is None or part.trouble or part.size > limit else part.data


def _write_all(files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        try:
            _write(path, data)
        except OSError as error:
            raise TransportError(f"{path!r} can't be written: {words(error)}") from error


def _write(path: str, data: bytes) -> None:
    # mkstemp makes it readable by its owner only.
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _make_folders(paths: Sequence[str]) -> None:
    for path in paths:
        try:
            _make_folder(path)
        except OSError as error:
            raise TransportError(f"the folder {path!r} can't be made: {words(error)}") from error


def _make_folder(path: str) -> None:
    # os.makedirs gives the folders above the mode of the umask.
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent != path:
        _make_folder(parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    if not os.path.isdir(path):
        raise NotADirectoryError(f"{path!r} is there and is no folder")


def _remove(path: str) -> None:
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise TransportError(f"the folder {path!r} can't be removed: {words(error)}") from error
