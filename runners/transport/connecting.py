"""The connection of a login: made when it is needed, once for all who wait, and again when it was lost."""

import asyncio
import random
import time

from runners.transport.base import Command, Reply, TransportError, UnreachableError
from runners.transport.logging_in import log_in
from runners.transport.login import Ask, Login, LoginRefusedError, UnansweredError
from runners.transport.private_key import PrivateKey
from runners.transport.records import Recorder
from runners.transport.shells import Shells

PATIENCE_S = 30.0
"""Seconds that a verb waits for the connection; the attempt goes on, since a person may be answering."""

_FIRST_REST_S, _LONGEST_REST_S = 1.0, 60.0
_REST_REFUSED_S = 300.0
"""Hosts lock out those who fail to log in again and again."""

_CLOSE_S = 5.0


class Connector:
    """Holds the connection of a login."""

    def __init__(self, login: Login, ask: Ask, records: Recorder) -> None:
        self._login = login
        self._ask = ask
        self._records = records
        self._key = PrivateKey(login)
        self._shells: Shells | None = None
        self._attempt: asyncio.Task[UnreachableError | None] | None = None
        self._quiet: asyncio.Task[UnreachableError | None] | None = None
        """The last attempt that asks nobody."""
        self._failures = 0
        self._rests_until = 0.0
        self._trouble = UnreachableError("nobody has tried yet")

    async def shells(self, *, wanted: bool = False) -> Shells:
        """The shells of the connection, which is made now if there is none.

        Args:
            wanted: a person wants it: there is no rest, and it is awaited as long as questions are open.

        Raises:
            UnreachableError: there is none, and it can't be made, or not so soon.
        """
        while self._attempt is not None and self._attempt is self._quiet:
            # What it fails by may be that nobody was asked.
            await asyncio.wait([self._attempt])
        if self._shells is not None and self._shells.alive:
            return self._shells
        attempt = self._attempt
        if attempt is None:
            if not wanted and time.monotonic() < self._rests_until:
                raise UnreachableError(str(self._trouble)) from self._trouble
            attempt = self._attempt = asyncio.create_task(self._try(self._ask))
        # An attempt ends by itself: logging in takes its time, and so does every question.
        await asyncio.wait([attempt], timeout=None if wanted else PATIENCE_S)
        if not attempt.done():
            raise UnreachableError(
                f"{self._login.host!r} is still being logged in to; if it waits for a person, answer in the "
                "dashboard, or with: runyard resource connect NAME"
            )
        if attempt.cancelled():
            raise UnreachableError("the line was closed")
        if failed := attempt.result():
            raise UnreachableError(str(failed)) from failed
        if self._shells is None:
            raise UnreachableError("the line was closed")
        return self._shells

    @property
    def present(self) -> Shells | None:
        """The shells of the connection, if there is one; nothing is done about it."""
        return self._shells if self._shells is not None and self._shells.alive else None

    async def try_quietly(self, ask: Ask) -> None:
        """Have a connection, if it takes one attempt and nobody's answer. Cancelling ends the attempt.

        Args:
            ask: called in place of asking a person; to raise `NoAnswerError`.

        Raises:
            UnreachableError: there is none; or an attempt is under way that may wait for a person.
        """
        if self.present is not None:
            return
        if self._attempt is not None:
            raise UnansweredError(
                f"{self._login.host!r} is being logged in to at the moment, which may wait for a person; "
                "answer in the dashboard, or with: runyard resource connect NAME"
            )
        attempt = self._attempt = self._quiet = asyncio.create_task(self._try(ask, quiet=True))
        try:
            await asyncio.wait([attempt])
        except asyncio.CancelledError:
            attempt.cancel()
            await asyncio.wait([attempt])
            raise
        if attempt.cancelled():
            raise UnreachableError("the line was closed")
        if failed := attempt.result():
            raise failed

    async def close(self) -> None:
        """Close the connection, and end an attempt to make one."""
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait([self._attempt])
        shells, self._shells = self._shells, None
        if shells is not None:
            await _close(shells)

    async def _try(self, ask: Ask, *, quiet: bool = False) -> UnreachableError | None:
        """One attempt; returns why it has failed, if it has."""
        began = time.monotonic()
        command = Command(("ssh", "--", f"{self._login.user}@{self._login.host}"))
        try:
            if self._shells is not None:
                await _close(self._shells)
            self._shells = Shells(await log_in(self._login, self._key, ask))
        except UnreachableError as error:
            self._records.ran(command, None, time.monotonic() - began, str(error))
            # That nobody was asked says nothing about an attempt that asks.
            refused = isinstance(error, LoginRefusedError) and not isinstance(error, UnansweredError)
            if refused or not quiet:
                self._rest(error)
            return error
        finally:
            self._attempt = None
        self._records.ran(command, Reply(0, b"", b""), time.monotonic() - began)
        self._failures, self._rests_until = 0, 0.0
        return None

    def _rest(self, error: UnreachableError) -> None:
        longest = min(_LONGEST_REST_S, _FIRST_REST_S * 2**self._failures)
        # Not all at the same time, where the engines of many people have lost the same host.
        rest = _REST_REFUSED_S if isinstance(error, LoginRefusedError) else random.uniform(0.5, 1) * longest
        self._failures = min(self._failures + 1, 10)
        self._trouble = error
        self._rests_until = time.monotonic() + rest


async def _close(shells: Shells) -> None:
    try:
        async with asyncio.timeout(_CLOSE_S):
            await shells.close()
    except (TransportError, TimeoutError):
        # The other side does not say goodbye.
        return
