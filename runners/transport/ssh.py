"""Commands and files of another machine, over SSH: one connection for a host and user, a few shells in it."""

import asyncio
import contextlib
import io
import tarfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncssh

from runners.batches import Line
from runners.transport.base import (
    READ_S,
    Command,
    Exchange,
    Part,
    Piece,
    Transport,
    TransportError,
    UnreachableError,
)
from runners.transport.framing import Answers, IncompleteError, read_answers, script, tar_of
from runners.transport.login import Ask, Login, log_in
from runners.transport.records import Record, Recorder
from runners.transport.shell import Heard, LostError, Shell

SHELLS = 5
"""At the same time: four for work, and one that only controls. Most hosts allow 10."""

_GRACE_S = 15.0
"""Beyond a command's own time, until a silent line counts as lost."""

_REST_S = 1.0
"""Between two attempts to connect, at least: whoever asks has a pause of their own, too."""

_CLOSE_S = 5.0

_CONTROLS = {"scancel", "mkdir"}
"""Commands that must not wait behind work."""

_FETCHED_AT_ONCE = 1000


class SSHTransport(Transport):
    """A host, as the user who logs in. Everyone who goes there may share it.

    The connection is made when it is needed, by one caller while the others wait, and made again when it was
    lost.
    """

    def __init__(self, login: Login, *, ask: Ask, record: Record | None = None) -> None:
        """*ask* asks a person what making the connection needs; *record* takes in what was run."""
        self._login = login
        self._ask = ask
        self._records = Recorder(login.place, record)
        self._line = Line(up=None)
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting = asyncio.Lock()
        self._rested_at = 0.0
        self._trouble = ""
        self._idle: list[Shell] = []
        self._shells = 0
        self._limit = SHELLS
        self._change = asyncio.Condition()

    @property
    def line(self) -> Line:
        """See :attr:`Transport.line`."""
        return self._line

    async def exchange(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece] = (),
        *,
        timeout_s: float,
        stop: bool = False,
    ) -> Exchange:
        """See :meth:`Transport.exchange`."""
        answers = await self._answers(commands, pieces, timeout_s=timeout_s, stop=stop)
        return Exchange(answers.replies, answers.parts)

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        """See :meth:`Transport.fetch`."""
        found: dict[str, bytes] = {}
        began = time.monotonic()
        for first in range(0, len(paths), _FETCHED_AT_ONCE):
            asked = list(dict.fromkeys(paths[first : first + _FETCHED_AT_ONCE]))
            answers = await self._answers((), (), timeout_s=READ_S, tail=tar_of(asked, limit))
            found |= await asyncio.to_thread(_unpacked, answers.tail, set(asked), limit)
        fetched = [found.get(path) for path in paths]
        parts = [None if data is None else Part(data, 0, len(data)) for data in fetched]
        self._records.has_read(parts, time.monotonic() - began)
        return fetched

    async def close(self) -> None:
        """See :meth:`Transport.close`."""
        connection, self._connection = self._connection, None
        self._idle.clear()
        if connection is not None:
            connection.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await connection.wait_closed()

    async def _answers(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece],
        *,
        timeout_s: float,
        stop: bool = False,
        tail: bytes = b"",
    ) -> Answers:
        sent = script(commands, pieces, timeout_s=timeout_s, stop=stop, tail=tail)
        began = time.monotonic()
        controls = bool(commands) and all(command.argv[0] in _CONTROLS for command in commands)
        try:
            async with self._shell(controls=controls) as shell:
                known = not shell.fresh
                heard: Heard = await shell.ask(sent, timeout_s + _GRACE_S)
            answers = read_answers(sent, heard.out, heard.err, commands, pieces, heard.when)
        except UnreachableError as error:
            self._line = Line(False, trouble=_sentence(error))
            raise
        except (LostError, IncompleteError) as error:
            for command in commands:
                self._records.ran(command, None, time.monotonic() - began, str(error))
            trouble = f"{self._login.host!r}: {error}"
            self._line = Line(False, trouble=_sentence(TransportError(trouble)))
            raise TransportError(trouble) from error
        # The first exchange of a shell also waits for the shell.
        self._line = Line(
            True, heard.round_trip_s if known else self._line.round_trip_s or heard.round_trip_s
        )
        for command, reply, seconds in zip(commands, answers.replies, answers.seconds, strict=True):
            self._records.ran(command, reply, seconds)
        if pieces:
            self._records.has_read(answers.parts, time.monotonic() - began - sum(answers.seconds))
        return answers

    @asynccontextmanager
    async def _shell(self, *, controls: bool) -> AsyncIterator[Shell]:
        """A shell for one exchange. It is used again, unless the exchange failed or was cancelled."""
        shell = await self._take(controls=controls)
        try:
            yield shell
        except BaseException:
            shell.close()
            await self._give_back(None)
            raise
        await self._give_back(shell)

    async def _take(self, *, controls: bool) -> Shell:
        async with self._change:
            # The last one is for control, where there is more than one.
            await self._change.wait_for(
                lambda: self._shells < (self._limit if controls or self._limit == 1 else self._limit - 1)
            )
            self._shells += 1
        try:
            while True:
                connection = await self._connected()
                if self._idle:
                    return self._idle.pop()
                try:
                    return await Shell.open(connection)
                except asyncssh.ChannelOpenError as error:
                    await self._make_do(error)
        except BaseException:
            await self._give_back(None)
            raise

    async def _make_do(self, error: asyncssh.ChannelOpenError) -> None:
        """The host allows no more shells: make do with those that there are.

        Raises:
            UnreachableError: there is none.
        """
        async with self._change:
            others = self._shells - 1
            if not others and not self._idle:
                raise UnreachableError(f"{self._login.host!r} starts no shell: {error}") from error
            self._limit = max(1, others)
            await self._change.wait_for(lambda: bool(self._idle) or self._shells <= 1)

    async def _give_back(self, shell: Shell | None) -> None:
        async with self._change:
            self._shells -= 1
            if shell is not None and self._connection is not None:
                self._idle.append(shell)
            self._change.notify_all()

    async def _connected(self) -> asyncssh.SSHClientConnection:
        """The connection, made now if there is none.

        Raises:
            UnreachableError: it can't be made.
        """
        async with self._connecting:
            if self._connection is not None and not self._connection.is_closed():
                return self._connection
            self._idle.clear()
            self._limit = SHELLS
            if time.monotonic() < self._rested_at:
                raise UnreachableError(self._trouble)
            try:
                self._connection = await log_in(self._login, self._ask)
            except UnreachableError as error:
                self._connection = None
                self._trouble = str(error)
                self._rested_at = time.monotonic() + _REST_S
                raise
            return self._connection


def _sentence(error: TransportError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _unpacked(tar: bytes, asked: set[str], limit: int) -> dict[str, bytes]:
    """The files in a tar file that were asked for. What comes from a host is read, and never put on a disk.

    Raises:
        TransportError: it is no tar file.
    """
    files: dict[str, bytes] = {}
    if not tar:
        return files
    try:
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for member in archive:
                if member.isreg() and member.name in asked and member.size <= limit:
                    content = archive.extractfile(member)
                    if content is not None:
                        files[member.name] = content.read()
    except (tarfile.TarError, EOFError) as error:
        raise TransportError(f"the files that came can't be read: {error}") from error
    return files
