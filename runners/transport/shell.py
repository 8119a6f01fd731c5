"""One long-lived shell at the other end of a line: scripts go in, answers come out."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Self

import asyncssh

from runners.transport.base import TransportError, UnreachableError
from runners.transport.framing import START, Frames, message
from runners.transport.preamble import PREAMBLE

_OPEN_S = 30.0
"""Seconds that the host may take to start a shell."""
_END_S = 1.0
"""Seconds between the end of what a shell says and the word that it has ended."""
_CHUNK = 1 << 16


class LostError(TransportError):
    """The line broke, or the shell gave no answer: what was asked may have been done."""


class NoShellError(UnreachableError):
    """The connection is there, and no shell can be had over it."""


class Heard:
    """What has come back so far of an exchange, on both outputs."""

    def __init__(self, nonce: str) -> None:
        self.out = Frames(nonce)
        self.err = Frames(nonce)
        self.began = time.monotonic()

    @property
    def round_trip_s(self) -> float:
        """From the first byte sent to the first mark, which is there."""
        return self.out.found[0].arrived - self.began


class Shell:
    """A `/bin/sh` over there. It serves one exchange at a time; one that was lost must be closed."""

    def __init__(self, process: "asyncssh.SSHClientProcess[bytes]") -> None:
        self._process = process
        self.fresh = True
        """Nothing has been asked of it."""
        self.noise = b""
        """What was on its standard output before its first answer: what start-up files over there print."""

    @classmethod
    async def open(cls, connection: asyncssh.SSHClientConnection) -> Self:
        """Start one.

        Raises:
            asyncssh.ChannelOpenError: the host allows no more of them at a time.
            NoShellError: it does not start.
        """
        try:
            async with asyncio.timeout(_OPEN_S):
                # Whatever shell people have there, from here on it is the POSIX one. A terminal, which an SSH
                # configuration may ask for, would repeat what is said to it.
                process = await connection.create_process(START, encoding=None, request_pty=False)
        except TimeoutError as error:
            raise NoShellError(f"no shell was started there within {_OPEN_S:g} s") from error
        except asyncssh.ChannelOpenError:
            raise
        except (asyncssh.Error, OSError) as error:
            raise NoShellError(f"the line was lost: {error}") from error
        return cls(process)

    @property
    def closed(self) -> bool:
        """Whether it is known to be gone."""
        return self._process.is_closing()

    async def ask(self, script: bytes, heard: Heard, *, silence_s: float, largest: int) -> None:
        """Send a script, and take in what comes up to the last mark. Cancelling leaves it to be closed.

        Args:
            script: what to send.
            heard: takes in the answers, also where the last ones don't come.
            silence_s: seconds after which a line on which nothing comes or goes counts as lost.
            largest: bytes that one answer may have.

        Raises:
            NoShellError: it has ended before it began.
            LostError: the line broke, or nothing came in time, or far too much.
        """
        fresh, self.fresh = self.fresh, False
        text = message(PREAMBLE + script if fresh else script)
        heard.began = time.monotonic()
        try:
            async with asyncio.timeout(silence_s) as patience:

                def moved() -> None:
                    patience.reschedule(asyncio.get_running_loop().time() + silence_s)

                async with asyncio.TaskGroup() as group:
                    group.create_task(self._send(text, moved))
                    group.create_task(_listen(self._process.stdout, heard.out, largest, moved))
                    group.create_task(_listen(self._process.stderr, heard.err, largest, moved))
        except TimeoutError as error:
            raise LostError(f"there was no answer for {silence_s:g} s") from error
        except ExceptionGroup as errors:
            if errors.split((LostError, asyncssh.Error, OSError))[1]:
                raise
            own = errors.subgroup(LostError)
            if own is None:
                raise LostError("the line was lost") from errors
            raise await self._why(own.exceptions[0], heard) from errors
        if fresh:
            self.noise = heard.out.before

    def close(self) -> None:
        """Let it go; what it runs may go on."""
        self._process.close()

    async def _why(self, error: Exception, heard: Heard) -> Exception:
        """What to say of *error*, where it may be the shell that has ended, and not the line."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._process.wait_closed()
        if self._process.exit_status is None and self._process.exit_signal is None:
            return error
        if heard.out.found:
            return LostError("the shell over there has ended")
        said = (heard.err.rest.strip() or heard.out.rest.strip()).decode("utf-8", "replace")
        words = f" and says {said.splitlines()[-1]!r}" if said else ""
        return NoShellError(
            f"the shell that is started there ends at once{words}; log in with ssh to see why"
        )

    async def _send(self, text: bytes, moved: Callable[[], None]) -> None:
        for start in range(0, len(text), _CHUNK):
            self._process.stdin.write(text[start : start + _CHUNK])
            await self._process.stdin.drain()
            moved()


async def _listen(
    reader: "asyncssh.SSHReader[bytes]", frames: Frames, largest: int, moved: Callable[[], None]
) -> None:
    while not frames.done:
        data = await reader.read(_CHUNK)
        if not data:
            raise LostError("the line was lost")
        moved()
        frames.feed(data, time.monotonic())
        if frames.waiting > largest:
            raise LostError(f"an answer was longer than {largest:,} bytes")
