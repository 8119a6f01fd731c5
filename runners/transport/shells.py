"""The shells of one connection: how many there may be, and who uses which."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncssh

from runners.transport.shell import NoShellError, Shell

AT_ONCE = 5
"""Four for work and one that only controls. Hosts allow 10 by default (MaxSessions of sshd_config(5))."""

_FEWER_S = 60.0
"""So long we make do with fewer, where a host allows no more. What hangs over there may end meanwhile."""


_SETTLE_S = 0.5
"""sshd counts a session a moment longer than it lasts."""


@dataclass(frozen=True, slots=True)
class _Waiter:
    control: bool
    turn: asyncio.Future[None]


class Shells:
    """Gives out shells, one for each exchange, and keeps them for the next one."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._idle: list[Shell] = []
        self._opening: set[asyncio.Task[Shell]] = set()
        self._waiting: deque[_Waiter] = deque()
        self._taken = 0
        """Places that are taken: by shells in use, and by those that are being started."""
        self._started = 0
        """Shells that there are."""
        self._lost = 0
        """Those that were given up: what they run may go on, and count for the host."""
        self._fewer = AT_ONCE
        self._fewer_until = 0.0
        self.noise = b""
        """See :attr:`Shell.noise`: what was seen of it last."""

    @property
    def alive(self) -> bool:
        """Whether the connection is there, as far as known."""
        return not self._connection.is_closed()

    async def close(self) -> None:
        """Close the connection."""
        # That ends what is being started, too.
        self._connection.close()
        await self._connection.wait_closed()

    @asynccontextmanager
    async def one(self, *, control: bool) -> AsyncIterator[Shell]:
        """A shell for one exchange. It is used again, unless the exchange fails or is cancelled.

        Args:
            control: it does not wait for those that work.

        Raises:
            NoShellError: the host starts none.
        """
        shell = await self._take(control=control)
        try:
            yield shell
        except BaseException:
            self._drop(shell)
            self._free()
            raise
        self._give_back(shell)

    async def count(self) -> int:
        """How many shells the host lets there be at a time, up to `AT_ONCE`; those there are then are kept.

        Raises:
            NoShellError: the line is lost.
        """
        settled = False
        while self._started < AT_ONCE:
            try:
                shell = await self._start()
            except asyncssh.ChannelOpenError:
                if settled or not self._lost:
                    break
                settled = True
                await asyncio.sleep(_SETTLE_S)
            else:
                self._idle.append(shell)
        return self._started

    async def _take(self, *, control: bool) -> Shell:
        settled = False
        while True:
            await self._turn(control=control)
            try:
                return self._rested() or await self._start()
            except asyncssh.ChannelOpenError as error:
                self._free()
                if self._none and self._lost and self.alive and not settled:
                    settled = True
                    await asyncio.sleep(_SETTLE_S)
                else:
                    self._make_do(error)
            except BaseException:
                self._free()
                raise

    async def _turn(self, *, control: bool) -> None:
        """Wait for a place, and take it."""
        waiter = _Waiter(control, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._call_next()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                self._waiting.remove(waiter)
            else:
                self._free()
            raise

    def _call_next(self) -> None:
        """Give free places to those who have waited longest."""
        for waiter in tuple(self._waiting):
            limit = self._fewer if time.monotonic() < self._fewer_until else AT_ONCE
            # The last place is for control, where there is more than one.
            allowed = limit if waiter.control or limit == 1 else limit - 1
            if self._taken < allowed and not waiter.turn.done():
                self._waiting.remove(waiter)
                self._taken += 1
                waiter.turn.set_result(None)

    def _free(self) -> None:
        self._taken -= 1
        self._call_next()

    def _rested(self) -> Shell | None:
        """A shell that was used before, if there is one."""
        while self._idle:
            shell = self._idle.pop()
            if not shell.closed:
                return shell
            self._drop(shell)
        return None

    async def _start(self) -> Shell:
        """Start a shell. One that nobody waits for any more is kept: the host counts it anyhow."""
        starting = asyncio.create_task(Shell.open(self._connection))
        self._opening.add(starting)
        starting.add_done_callback(self._has_started)
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # It is for the next one, and has a place of its own until it is there.
            self._taken += 1
            starting.add_done_callback(self._keep)
            raise

    def _has_started(self, starting: asyncio.Task[Shell]) -> None:
        self._opening.discard(starting)
        if starting.cancelled() or isinstance(starting.exception(), asyncssh.ChannelOpenError):
            return
        if starting.exception() is None:
            self._started += 1
        else:
            self._lost += 1

    def _keep(self, starting: asyncio.Task[Shell]) -> None:
        if starting.cancelled() or starting.exception() is not None:
            self._free()
        else:
            self._give_back(starting.result())

    def _give_back(self, shell: Shell) -> None:
        self.noise = shell.noise or self.noise
        self._idle.append(shell)
        self._free()

    def _drop(self, shell: Shell) -> None:
        shell.close()
        self._started -= 1
        self._lost += 1

    @property
    def _none(self) -> bool:
        """Whether there is no shell, and none to come."""
        return not self._started and not self._opening

    def _make_do(self, error: asyncssh.ChannelOpenError) -> None:
        """The host allows no more shells: for some time, make do with those that there are.

        Raises:
            NoShellError: there is none.
        """
        if not self.alive:
            raise NoShellError("the line was lost") from error
        if self._none:
            if self._lost:
                # They hold their places over there; a new connection has places of its own.
                self._connection.close()
            raise NoShellError(
                f"no shell is started there ({error.reason}); MaxSessions of its sshd may be too low"
            ) from error
        self._fewer = max(1, self._started)
        self._fewer_until = time.monotonic() + _FEWER_S
