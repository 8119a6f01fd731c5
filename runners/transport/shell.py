"""One long-lived shell at the other end of a line: scripts go in, answers come out."""

import asyncio
import bisect
import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncssh

from runners.transport.base import TransportError, UnreachableError
from runners.transport.framing import PROLOGUE, Script

_OPEN_S = 30.0
"""Seconds that the host may take to start a shell."""

_CHUNK = 1 << 16


class LostError(TransportError):
    """The line broke, or the shell gave no answer: what was asked may have been done."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back."""

    out: bytes
    err: bytes
    when: Callable[[int], float]
    """The time at which the byte with this number had come on standard output."""
    round_trip_s: float
    """From sending to the first mark."""


class Shell:
    """A `/bin/sh` over there. It serves one exchange at a time; one that was lost must be closed."""

    def __init__(self, process: "asyncssh.SSHClientProcess[bytes]") -> None:
        self._process = process
        self.fresh = True
        """Nothing has been asked of it."""

    @classmethod
    async def open(cls, connection: asyncssh.SSHClientConnection) -> "Shell":
        """Start one.

        Raises:
            asyncssh.ChannelOpenError: the host allows no more of them at a time.
            UnreachableError: it does not start.
        """
        try:
            async with asyncio.timeout(_OPEN_S):
                # Whatever shell people have there, from here on it is the POSIX one.
                process = await connection.create_process("exec /bin/sh -s", encoding=None)
        except TimeoutError:
            raise UnreachableError(f"no shell was started there within {_OPEN_S:g} s") from None
        except asyncssh.ChannelOpenError:
            raise
        except (asyncssh.Error, OSError) as error:
            raise UnreachableError(f"the line was lost: {error}") from error
        return cls(process)

    async def ask(self, script: Script, silence_s: float) -> Heard:
        """Send a script and wait for its last mark. Cancelling leaves a shell that must be closed.

        Raises:
            LostError: the line broke, or nothing came for *silence_s* seconds.
        """
        text = (PROLOGUE if self.fresh else b"") + script.text
        self.fresh = False
        began = time.monotonic()
        out, err = _Stream(script.ended), _Stream(script.ended)
        try:
            await self._talk(text, out, err, silence_s)
        except TimeoutError:
            raise LostError(f"there was no answer for {silence_s:g} s") from None
        begun = out.data.find(script.begun)
        return Heard(bytes(out.data), bytes(err.data), out.when, out.when(begun + 1) - began)

    async def _talk(self, text: bytes, out: "_Stream", err: "_Stream", silence_s: float) -> None:
        try:
            async with asyncio.timeout(silence_s) as patience:

                def heard() -> None:
                    patience.reschedule(asyncio.get_running_loop().time() + silence_s)

                async with asyncio.TaskGroup() as group:
                    group.create_task(self._send(text, heard))
                    group.create_task(out.read(self._process.stdout, heard))
                    group.create_task(err.read(self._process.stderr, heard))
        except* LostError as errors:
            raise LostError(str(_first(errors))) from None
        except* asyncssh.Error as errors:
            raise LostError(f"the line was lost: {_first(errors)}") from None

    async def _send(self, text: bytes, heard: Callable[[], None]) -> None:
        for start in range(0, len(text), _CHUNK):
            self._process.stdin.write(text[start : start + _CHUNK])
            await self._process.stdin.drain()
            heard()

    def close(self) -> None:
        """Let it go; what it runs may go on."""
        self._process.close()


class _Stream:
    """One output of a shell, read up to a mark."""

    def __init__(self, ended: bytes) -> None:
        self.data = bytearray()
        self._ended = ended
        self._sizes: list[int] = []
        self._times: list[float] = []

    async def read(self, reader: "asyncssh.SSHReader[bytes]", heard: Callable[[], None]) -> None:
        while chunk := await reader.read(_CHUNK):
            heard()
            seen = len(self.data)
            self.data += chunk
            self._sizes.append(len(self.data))
            self._times.append(time.monotonic())
            if self.data.find(self._ended, max(0, seen - len(self._ended))) >= 0:
                return
        raise LostError("the line was lost")

    def when(self, size: int) -> float:
        return self._times[min(bisect.bisect_left(self._sizes, size), len(self._times) - 1)]


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
