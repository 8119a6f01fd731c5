"""The shells of one connection: how many there may be, and who uses which."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh

from runners.transport.base import UnreachableError
from runners.transport.shell import Shell

AT_ONCE = 5
"""Four for work and one that only controls. Hosts allow 10 by default (MaxSessions of sshd_config(5))."""


class Shells:
    """Gives out shells, one for each exchange, and keeps them for the next one."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._idle: list[Shell] = []
        self._taken = 0
        self._limit = AT_ONCE
        self._change = asyncio.Condition()

    @property
    def alive(self) -> bool:
        """Whether the connection is there, as far as known."""
        return not self._connection.is_closed()

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        await self._connection.wait_closed()

    @asynccontextmanager
    async def one(self, *, control: bool) -> AsyncIterator[Shell]:
        """A shell for one exchange. It is used again, unless the exchange fails or is cancelled.

        Args:
            control: it does not wait for those that work.

        Raises:
            UnreachableError: the host starts none.
        """
        shell = await self._take(control=control)
        try:
            yield shell
        except BaseException:
            shell.close()
            await self._give_back(None)
            raise
        await self._give_back(shell)

    async def _take(self, *, control: bool) -> Shell:
        async with self._change:
            await self._change.wait_for(lambda: self._taken < self._allowed(control=control))
            self._taken += 1
        try:
            while True:
                while self._idle:
                    shell = self._idle.pop()
                    if not shell.closed:
                        return shell
                try:
                    return await Shell.open(self._connection)
                except asyncssh.ChannelOpenError as error:
                    await self._make_do(error)
        except BaseException:
            await self._give_back(None)
            raise

    def _allowed(self, *, control: bool) -> int:
        return self._limit if control or self._limit == 1 else self._limit - 1

    async def _make_do(self, error: asyncssh.ChannelOpenError) -> None:
        """The host allows no more: wait for one of those that there are.

        Raises:
            UnreachableError: there is none.
        """
        async with self._change:
            others = self._taken - 1
            if not others and not self._idle:
                raise UnreachableError(f"the host starts no shell: {error.reason}") from error
            self._limit = max(1, others)
            await self._change.wait_for(lambda: bool(self._idle) or self._taken <= 1)

    async def _give_back(self, shell: Shell | None) -> None:
        async with self._change:
            self._taken -= 1
            if shell is not None and not shell.closed:
                self._idle.append(shell)
            self._change.notify_all()
