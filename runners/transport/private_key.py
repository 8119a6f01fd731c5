"""The private key that we log in with: whether it may be used, its passphrase, and the agent that has it."""

import asyncio
import contextlib
import os
import shlex
import stat
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncssh

from runners.transport.base import UnreachableError
from runners.transport.local import words
from runners.transport.login import Ask, Login, unanswered
from runners.transport.questions import Kind, NoAnswerError, Prompt

_AGENT_S = 5.0
"""An agent may wait for someone who is not there."""
_TRIES = 3
"""For a passphrase, as ssh has it."""


@dataclass(frozen=True, slots=True)
class _Unlocked:
    """An encrypted key, as it was when its passphrase was given; only in memory."""

    stamp: tuple[int, int]
    pairs: Sequence[asyncssh.SSHKeyPair]


class PrivateKey:
    """The key of a login. What was unlocked once stays unlocked until the file changes."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._path = login.key
        self._unlocked: _Unlocked | None = None

    async def pairs(self, in_agent: Collection[bytes], ask: Ask) -> Sequence[asyncssh.SSHKeyPair]:
        """The key, with its certificate if there is one; nothing where it is locked and the agent has it.

        Args:
            in_agent: the public keys that the agent has the private ones of.
            ask: asks for the passphrase, if it comes to that.

        Raises:
            UnreachableError: it can't be used.
        """
        stamp = await asyncio.to_thread(self._check)
        if pairs := await asyncio.to_thread(self._load, None):
            return pairs
        if await self.public() in in_agent:
            return []
        if self._unlocked is None or self._unlocked.stamp != stamp:
            self._unlocked = _Unlocked(stamp, await self._unlock(ask))
        return self._unlocked.pairs

    async def is_locked(self) -> bool:
        """Whether it takes a passphrase to use the file.

        Raises:
            UnreachableError: it can't be used at all.
        """
        await asyncio.to_thread(self._check)
        return not await asyncio.to_thread(self._load, None)

    async def public(self) -> bytes | None:
        """Its public half, if that can be told without the passphrase."""
        return await asyncio.to_thread(self._public)

    async def _unlock(self, ask: Ask) -> Sequence[asyncssh.SSHKeyPair]:
        prompts = (Prompt("Passphrase", echo=False),)
        text = f"The private key {self._path!r} is encrypted."
        for _ in range(_TRIES):
            try:
                (passphrase,) = await ask(self._login.place, Kind.PASSPHRASE, text, prompts)
            except NoAnswerError as error:
                what = f"the passphrase of the key {self._path!r}"
                raise UnreachableError(unanswered(self._login.host, what, error)) from error
            if pairs := await asyncio.to_thread(self._load, passphrase):
                return pairs
            text = f"That passphrase does not open the private key {self._path!r}."
        raise UnreachableError(f"none of {_TRIES} passphrases opens the key {self._path!r}; connect again")

    def _check(self) -> tuple[int, int]:
        """What tells this version of the file from another one.

        Raises:
            UnreachableError: it is not there, or others might have it.
        """
        path = self._path
        try:
            found = os.stat(path)
        except FileNotFoundError as error:
            raise UnreachableError(
                f"there is no key {path!r}; correct ssh_key_path of the profile"
            ) from error
        except OSError as error:
            raise UnreachableError(f"the key {path!r} can't be read: {words(error)}") from error
        if not stat.S_ISREG(found.st_mode):
            raise UnreachableError(f"{path!r} is no file; correct ssh_key_path of the profile")
        if found.st_uid != os.geteuid():
            raise UnreachableError(f"the key {path!r} belongs to somebody else; use one of your own")
        if found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise UnreachableError(
                f"the key {path!r} is open to others (mode {mode:04o}); "
                f"close it with: chmod 600 {shlex.quote(path)}"
            )
        return (found.st_ino, found.st_mtime_ns)

    def _load(self, passphrase: str | None) -> Sequence[asyncssh.SSHKeyPair]:
        """The key; nothing if *passphrase* does not open it.

        Raises:
            UnreachableError: it is no private key, or can't be read.
        """
        try:
            return asyncssh.load_keypairs([self._path], passphrase)
        except asyncssh.KeyEncryptionError:
            return []
        except asyncssh.KeyImportError as error:
            if passphrase is not None or str(error).startswith("Passphrase"):
                return []
            raise UnreachableError(
                f"{self._path!r} is no private key ({error}); correct ssh_key_path of the profile"
            ) from error
        except OSError as error:
            raise UnreachableError(f"the key {self._path!r} can't be read: {words(error)}") from error

    def _public(self) -> bytes | None:
        for path in (f"{self._path}.pub", self._path):
            with contextlib.suppress(OSError, asyncssh.KeyImportError):
                return asyncssh.read_public_key(path).public_data
        return None


@asynccontextmanager
async def agent_keys(path: str | None) -> AsyncIterator[Sequence[asyncssh.SSHKeyPair]]:
    """The keys of the agent at *path*, usable as long as this is entered; none where there is no agent."""
    agent: asyncssh.SSHAgentClient | None = None
    keys: Sequence[asyncssh.SSHKeyPair] = []
    # Without one, or with one that is locked or hangs, there is still the key file.
    with contextlib.suppress(OSError, ValueError, TimeoutError):
        async with asyncio.timeout(_AGENT_S):
            if path:
                agent = await asyncssh.connect_agent(path)
                keys = await agent.get_keys()
    try:
        yield keys
    finally:
        if agent is not None:
            agent.close()
