"""Logging in to a host over SSH: whose key, which host, and what only a person can answer on the way."""

import asyncio
import os
import socket
import stat
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from runners.transport.base import UnreachableError
from runners.transport.host_keys import HostKeys, Known, Offered, Standing
from runners.transport.questions import Kind, NoAnswerError, Prompt

Ask = Callable[[str, Kind, str, Sequence[Prompt]], Coroutine[Any, Any, Sequence[str]]]
"""Asks a person, as `Questions.ask` does."""

_CONNECT_S = 15.0
_LOGIN_S = 330.0
"""Longer than a question waits for its answer."""
_KEEPALIVE_S, _KEEPALIVES = 15, 3

_TRIES = 3
"""For a passphrase, as ssh has it."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where to log in, and as whom."""

    host: str
    """A name, an address, or a name that an SSH configuration knows."""
    user: str
    key: str
    """The file of the private key."""
    ssh_config: Path
    """SSH settings that go before the user's own; need not be there."""
    known_hosts: Path
    """Where the keys of accepted hosts are kept; need not be there."""

    @property
    def place(self) -> str:
        """See `BaseRunner.place`."""
        return f"ssh:{self.user}@{self.host}"


class _Client(asyncssh.SSHClient):
    """Answers for us while a connection is made."""

    def __init__(self, login: Login, keys: HostKeys, ask: Ask) -> None:
        self.offered: Offered | None = None
        self.unanswered: NoAnswerError | None = None
        self._login = login
        self._keys = keys
        self._ask = ask

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        # Called for keys that are not known: what follows from that takes longer than this may.
        self.offered = self._keys.judge(host, addr, port, key)
        return False

    def kbdint_auth_requested(self) -> str:
        return ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        if not prompts:
            return []
        text = " ".join(filter(None, (name.strip(), instructions.strip()))) or "The host asks for more."
        try:
            asked = [Prompt(label, echo) for label, echo in prompts]
            return await self._ask(self._login.place, Kind.CODE, text, asked)
        except NoAnswerError as error:
            self.unanswered = error
            return None


async def log_in(login: Login, ask: Ask) -> asyncssh.SSHClientConnection:
    """Make a connection.

    Raises:
        UnreachableError: it can't be made; the text says what to do.
    """
    keys = HostKeys(login.known_hosts)
    pairs = await _key_pairs(login, ask)
    client = _Client(login, keys, ask)
    try:
        return await _connect(login, keys, pairs, client)
    except asyncssh.HostKeyNotVerifiable as error:
        if client.offered is None:
            raise UnreachableError(_of_another_host(login, error)) from error
        await _accept(login, keys, client.offered, ask)
    client = _Client(login, keys, ask)
    try:
        return await _connect(login, keys, pairs, client)
    except asyncssh.HostKeyNotVerifiable as error:
        raise UnreachableError(_of_another_host(login, error)) from error


async def _connect(
    login: Login, keys: HostKeys, pairs: Sequence[asyncssh.SSHKeyPair], client: _Client
) -> asyncssh.SSHClientConnection:
    def known(host: str, address: str, port: int | None) -> Known:
        return keys.known(host, address, port or 22)

    configs = [path for path in (login.ssh_config, Path.home() / ".ssh" / "config") if path.is_file()]
    try:
        async with asyncio.timeout(_LOGIN_S):
            return await asyncssh.connect(
                login.host,
                username=login.user,
                client_keys=pairs,
                client_factory=lambda: client,
                config=[str(path) for path in configs],
                known_hosts=known,
                connect_timeout=_CONNECT_S,
                login_timeout=_LOGIN_S,
                keepalive_interval=_KEEPALIVE_S,
                keepalive_count_max=_KEEPALIVES,
                compression_algs=["zlib@openssh.com", "none"],
                agent_forwarding=False,
            )
    except asyncssh.HostKeyNotVerifiable:
        raise
    except (asyncssh.Error, OSError, ValueError, TimeoutError) as error:
        if client.unanswered is not None:
            raise UnreachableError(_unanswered(login, client.unanswered, "its question")) from error
        raise UnreachableError(_words(login, error)) from error


async def _key_pairs(login: Login, ask: Ask) -> Sequence[asyncssh.SSHKeyPair]:
    """The private key, with its certificate if there is one.

    Raises:
        UnreachableError: it can't be used.
    """
    if fault := await asyncio.to_thread(_fault_of_key, login.key):
        raise UnreachableError(fault)
    passphrase: str | None = None
    for number in range(_TRIES + 1):
        try:
            return await asyncio.to_thread(asyncssh.load_keypairs, [login.key], passphrase)
        except asyncssh.KeyEncryptionError:
            again = "That is not it. " if number else ""
        except asyncssh.KeyImportError as error:
            if "assphrase" not in str(error):
                raise UnreachableError(f"the key {login.key!r} can't be used: {error}") from error
            again = "That is not it. " if number else ""
        except OSError as error:
            raise UnreachableError(f"the key {login.key!r} can't be read: {error.strerror}") from error
        if number == _TRIES:
            break
        text = f"{again}The private key {login.key} is encrypted."
        try:
            (passphrase,) = await ask(login.place, Kind.PASSPHRASE, text, (Prompt("Passphrase", echo=False),))
        except NoAnswerError as error:
            raise UnreachableError(_unanswered(login, error, "the passphrase of its key")) from error
    raise UnreachableError(f"the passphrase of the key {login.key!r} was wrong {_TRIES} times")


def _fault_of_key(path: str) -> str:
    """Why a key can't be used; empty where it can."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return f"there is no key {path!r}; correct ssh_key_path of the profile"
    except OSError as error:
        return f"the key {path!r} can't be read: {error.strerror}"
    if not stat.S_ISREG(found.st_mode):
        return f"{path!r} is no file; correct ssh_key_path of the profile"
    if found.st_uid not in (os.geteuid(), 0):
        return f"the key {path!r} belongs to another user; use a key of your own"
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        return f"the key {path!r} can be read by others (mode {mode:04o}); chmod 600 {path}"
    return ""


async def _accept(login: Login, keys: HostKeys, offered: Offered, ask: Ask) -> None:
    """Have a new host accepted by a person.

    Raises:
        UnreachableError: it is not.
    """
    if offered.standing is not Standing.NEW:
        how = "has been revoked" if offered.standing is Standing.REVOKED else "has changed"
        where = await asyncio.to_thread(keys.where, offered.host)
        raise UnreachableError(
            f"the key of the host {login.host!r} {how}: it may be another machine that listens in. Nothing "
            f"was sent to it. Ask its administrators whether {offered.fingerprint} is right; if so, remove "
            f"the line of {offered.host} from {where!r}"
        )
    text = (
        f"The host {login.host} ({offered.host}) is not known yet. Its key is {offered.fingerprint}. "
        "Compare that with what its administrators publish."
    )
    try:
        await ask(login.place, Kind.HOST_KEY, text, ())
    except NoAnswerError as error:
        raise UnreachableError(_unanswered(login, error, "whether its host key is right")) from error
    await asyncio.to_thread(keys.accept, offered)


def _unanswered(login: Login, error: NoAnswerError, what: str) -> str:
    if error.refused:
        return f"you refused to answer for {login.host!r} ({what}); connect again to be asked again"
    return (
        f"{login.host!r} waits for an answer ({what}); give it in the dashboard, "
        "or with: runyard resource connect NAME"
    )


def _of_another_host(login: Login, error: Exception) -> str:
    return (
        f"a host on the way to {login.host!r} is not known ({error}); "
        "log in to it once with ssh, and accept its key there"
    )


def _words(login: Login, error: Exception) -> str:
    """Why there is no connection, and what to do."""
    host, user = login.host, login.user
    match error:
        case asyncssh.PermissionDenied():
            return (
                f"{host!r} does not let {user!r} in with the key {login.key!r}; "
                f"is its public half among the authorized_keys of {user!r} there"
            )
        case socket.gaierror():
            return f"the name {host!r} is not known; correct the host of the resource, or ~/.ssh/config"
        case ConnectionRefusedError():
            return f"{host!r} refuses connections; its SSH server may be down, or on another port"
        case TimeoutError():
            return f"{host!r} gives no answer within {_CONNECT_S:g} s; is this machine on the right network"
        case OSError():
            return f"{host!r} can't be reached: {error.strerror or error}"
    return f"{host!r} can't be reached: {error}"
