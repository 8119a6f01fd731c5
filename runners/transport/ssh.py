"""Commands and files of another machine, over SSH: one connection for a host and user, a few shells in it."""

import asyncio
import copy
import io
import secrets
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from runners.batches import Line
from runners.transport.base import (
    READ_S,
    Command,
    Exchange,
    Part,
    Piece,
    Reply,
    Transport,
    TransportError,
    UnreachableError,
    as_sentence,
    fault_of,
)
from runners.transport.connecting import Connector
from runners.transport.framing import exchange_script, fetch_script, marks_of, parts_of, replies_of
from runners.transport.login import Ask, Login
from runners.transport.records import Record, Recorder
from runners.transport.shell import Heard, LostError, NoShellError
from runners.transport.shells import Shells

_GRACE_S = 20.0
"""Beyond the time that a command has, until a silent line counts as lost: it is killed 5 s later."""

_LARGEST = 64 << 20
"""Bytes that a command may say, or that the archive of fetched files may have beyond the files."""

_CONTROLS = frozenset({"scancel", "mkdir"})
"""Commands that don't wait behind work, in exchanges that hold no others."""

_FETCHED_AT_ONCE = 1000

_SHORT = 1 << 14


class SSHTransport(Transport):
    """A host, as the user who logs in. Everyone who goes there may share it."""

    def __init__(self, login: Login, *, ask: Ask, record: Record | None = None) -> None:
        """*ask* asks a person what making the connection needs; *record* takes in what was run."""
        self.login = login
        self._host = login.host
        self._records = Recorder(login.place, record)
        self._connector = Connector(login, ask, self._records)
        self._line = Line(up=None)
        self._quiet = False

    @property
    def line(self) -> Line:
        """See :attr:`Transport.line`."""
        return self._line

    async def connect(self) -> None:
        """Make the connection at once, however often it failed; waits as long as people take to answer.

        Cancelling leaves the attempt alone.

        Raises:
            UnreachableError: it can't be made.
        """
        with self._told():
            await self._connector.shells(wanted=True)

    @property
    def is_up(self) -> bool:
        """Whether there is a connection now, as far as known."""
        return self._connector.present is not None

    def quiet(self) -> "SSHTransport":
        """See :meth:`Transport.quiet`: it has the connection that there is, and makes none.

        What becomes of it is not told by the line of this one.
        """
        other = copy.copy(self)
        other._quiet = True
        return other

    async def try_quietly(self, ask: Ask) -> None:
        """Have a connection, if it takes one attempt and nobody's answer; see `Connector.try_quietly`.

        Raises:
            UnreachableError: there is none.
        """
        await self._connector.try_quietly(ask)

    async def count_shells(self) -> int:
        """How many shells the host lets there be at a time, as far as we would want any. Opens no connection.

        Raises:
            UnreachableError: there is no connection, or it is lost.
        """
        with self._told():
            return await self._present().count()

    @property
    def noise(self) -> bytes:
        """What start-up files over there print to commands; as far as known, without asking anything."""
        shells = self._connector.present
        return b"" if shells is None else shells.noise

    async def exchange(
        self,
        commands: Sequence[Command],
        pieces: Sequence[Piece] = (),
        *,
        timeout_s: float,
        stop: bool = False,
    ) -> Exchange:
        """See :meth:`Transport.exchange`. Cancelling does not end what runs."""
        nonce = _nonce()
        try:
            script = exchange_script(commands, pieces, nonce, timeout_s=timeout_s, stop=stop)
        except ValueError as error:
            raise TransportError(f"that can't be asked of {self._host!r}: {error}") from error
        control = bool(commands) and not pieces and all(one.argv[0] in _CONTROLS for one in commands)
        silence_s = max(timeout_s + _GRACE_S, READ_S if pieces else 0.0)
        heard = Heard(nonce)
        try:
            marks = marks_of(commands, pieces)
            await self._ask(script, heard, marks, silence_s, _LARGEST, control=control)
        except LostError as error:
            self._record(commands, heard, timeout_s, str(error))
            raise
        replies = self._record(commands, heard, timeout_s)
        frames = heard.out.found
        parts = parts_of(pieces, frames[len(commands) + 1 :])
        self._records.has_read(parts, frames[-1].arrived - frames[len(commands)].arrived)
        return Exchange(replies, parts)

    async def fetch(self, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
        """See :meth:`Transport.fetch`."""
        began = time.monotonic()
        found: dict[str, bytes] = {}
        good = list(dict.fromkeys(path for path in paths if fault_of(path) is None))
        for first in range(0, len(good), _FETCHED_AT_ONCE):
            found |= await self._fetch(good[first : first + _FETCHED_AT_ONCE], limit)
        fetched = [found.get(path) for path in paths]
        parts = [None if data is None else Part(data, 0, len(data)) for data in fetched]
        self._records.has_read(parts, time.monotonic() - began)
        return fetched

    async def close(self) -> None:
        """See :meth:`Transport.close`."""
        await self._connector.close()

    async def _fetch(self, paths: Sequence[str], limit: int) -> dict[str, bytes]:
        nonce = _nonce()
        heard = Heard(nonce)
        largest = _LARGEST + limit * len(paths)
        await self._ask(fetch_script(paths, limit, nonce), heard, (3, 3), READ_S, largest, control=False)
        archive, complaints = heard.out.found[1], heard.err.found[1].content
        code = int(archive.words[0])
        # 1 is of a file that has changed while it was read.
        if code not in (0, 1):
            raise TransportError(
                f"files can't be fetched from {self._host!r}: {Reply(code, b'', complaints).last_words}"
            )
        return await asyncio.to_thread(_unpacked, archive.content, frozenset(paths), limit)

    async def _ask(
        self,
        script: bytes,
        heard: Heard,
        marks: tuple[int, int],
        silence_s: float,
        largest: int,
        *,
        control: bool,
    ) -> None:
        """Have a shell answer *script*, with so many *marks*; the line tells how that went."""
        with self._told():
            shells = self._present() if self._quiet else await self._connector.shells()
            async with shells.one(control=control) as shell:
                known = not shell.fresh
                await shell.ask(script, heard, silence_s=silence_s, largest=largest)
                if (len(heard.out.found), len(heard.err.found)) != marks:
                    # Nobody knows which answer is whose.
                    del heard.out.found[1:]
                    raise LostError("the answer is not whole")
        trip = self._line.round_trip_s
        # The first exchange of a shell also waits for the shell, and a long script for its own way there.
        if trip is None or (known and len(script) < _SHORT):
            trip = heard.round_trip_s
        self._line = Line(up=True, round_trip_s=trip)

    def _present(self) -> Shells:
        shells = self._connector.present
        if shells is None:
            raise UnreachableError(f"there is no line to {self._host!r} any more")
        return shells

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong meanwhile is told by the line."""
        try:
            yield
        except NoShellError as error:
            none = UnreachableError(f"{self._host!r}: {error}")
            self._line = Line(up=False, trouble=as_sentence(none))
            raise none from error
        except UnreachableError as error:
            self._line = Line(up=False, trouble=as_sentence(error))
            raise
        except LostError as error:
            lost = LostError(f"{self._host!r}: {error}")
            self._line = Line(up=False, trouble=as_sentence(lost))
            raise lost from error

    def _record(
        self, commands: Sequence[Command], heard: Heard, timeout_s: float, lost: str = ""
    ) -> list[Reply]:
        """Keep records of all commands, and return the answers that have come."""
        answered = replies_of(commands, heard.out.found, heard.err.found, timeout_s)
        for command, (reply, seconds) in zip(commands, answered, strict=False):
            self._records.ran(command, reply, seconds)
        for command in commands[len(answered) :]:
            self._records.ran(command, None, time.monotonic() - heard.began, lost)
        return [reply for reply, _ in answered]


def _nonce() -> str:
    return secrets.token_hex(16)


def _unpacked(archive: bytes, asked: frozenset[str], limit: int) -> dict[str, bytes]:
    """The files in an archive that were asked for. What comes from a host is read, and never put on a disk.

    Raises:
        TransportError: it is no archive.
    """
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as members:
            for member in members:
                content = members.extractfile(member) if member.isreg() and member.name in asked else None
                if content is not None and member.size <= limit:
                    files[member.name] = content.read()
    except (tarfile.TarError, EOFError) as error:
        raise TransportError(f"the files that came can't be read: {error}") from error
    return files
