"""Logging in over SSH: through which hosts, with which keys, and what only a person can answer on the way."""

import asyncio
import logging
from collections.abc import Sequence

import asyncssh

from runners.transport.base import UnreachableError
from runners.transport.host_keys import accept
from runners.transport.login import (
    Ask,
    HostKeyChangedError,
    Login,
    LoginRefusedError,
    UnansweredError,
    unanswered,
)
from runners.transport.private_key import PrivateKey, agent_keys
from runners.transport.questions import PATIENCE_S, Kind, NoAnswerError, Prompt
from runners.transport.ssh_settings import Hop, Settings, read_settings, way_to
from runners.transport.ssh_words import not_let_in, why_not

# It tells every step of every connection; what counts is in our own records.
logging.getLogger("asyncssh").setLevel(logging.WARNING)

LOGIN_S = 30.0
"""Seconds that logging in to one host may take, without the time that people take."""
_KEEPALIVE_S, _KEEPALIVES = 15, 3
"""So often a silent line is felt for, and so often in vain before it counts as lost."""

_TRIES = 3
"""For what a host asks, as ssh has it."""

_OTHERS = 4
"""Keys of the agent that are tried after the profile's own: hosts end it after 6 by default."""


_PLAIN_TOO = "+ssh-ed25519,ecdsa-sha2-nistp*,rsa-sha2-*"
_NO_CERTIFICATES = "-*-cert-v01@openssh.com"


class _Client(asyncssh.SSHClient):
    """Answers for us while a connection is made."""

    def __init__(self, login: Login, ask: Ask, more_keys: Sequence[asyncssh.SSHKeyPair]) -> None:
        self.shown: asyncssh.SSHKey | None = None
        """The host's key, if it is not a known one."""
        self.unanswered: NoAnswerError | None = None
        self._login = login
        self._ask = ask
        self._more_keys = more_keys
        self._requests = self._questions = 0

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        # To be called back here may take no time: what follows is found out afterwards.
        self.shown = key
        return False

    def public_key_auth_requested(self) -> Sequence[asyncssh.SSHKeyPair] | None:
        keys, self._more_keys = self._more_keys, []
        return keys or None

    def kbdint_auth_requested(self) -> str | None:
        # Asked after every failure: without an end, where the host poses no question.
        if self._questions < self._requests or self._requests == _TRIES or self.unanswered:
            return None
        self._requests += 1
        return ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        self._questions = self._requests
        if not prompts:
            return []
        said = " ".join(filter(None, (name.strip(), instructions.strip())))
        text = f"{self._login.host} asks, before it lets {self._login.user} in. {said}".strip()
        asked = [Prompt(label, echo) for label, echo in prompts]
        try:
            return await self._ask(self._login.place, Kind.CODE, text, asked)
        except NoAnswerError as error:
            self.unanswered = error
            return None


async def log_in(login: Login, key: PrivateKey, ask: Ask) -> asyncssh.SSHClientConnection:
    """Make a connection. Cancelling ends the attempt.

    Raises:
        LoginRefusedError: the host does not let us in.
        UnreachableError: there is no connection; the text says what to do.
    """
    target = Hop(login.host, login.user, last=True)
    way: asyncssh.SSHClientConnection | None = None
    for jump in await asyncio.to_thread(way_to, login, target):
        way = await _reach(login, jump, key, ask, way)
    return await _reach(login, target, key, ask, way)


async def _reach(
    login: Login, hop: Hop, key: PrivateKey, ask: Ask, way: asyncssh.SSHClientConnection | None
) -> asyncssh.SSHClientConnection:
    """Log in to one host, through the one before it if there is one; that is left if it fails."""
    try:
        settings = await asyncio.to_thread(read_settings, login, hop)
        async with agent_keys(settings.agent) as offered:
            keys = await _keys(settings, key, offered, ask)
            try:
                connection = await _connect(login, hop, settings, keys, ask, way)
            except _NewHostError as error:
                await _vouch(login, settings.name, error.key, ask)
                settings = await asyncio.to_thread(read_settings, login, hop)
                connection = await _connect(login, hop, settings, keys, ask, way)
    except BaseException:
        if way is not None:
            way.abort()
        raise
    if way is not None:
        # It is closed together with what leads through it.
        connection.set_tunnel(way)
    return connection


class _NewHostError(Exception):
    """The host shows a key, and nothing is known of it."""

    def __init__(self, key: asyncssh.SSHKey) -> None:
        super().__init__()
        self.key = key


async def _connect(
    login: Login,
    hop: Hop,
    settings: Settings,
    keys: Sequence[asyncssh.SSHKeyPair],
    ask: Ask,
    way: asyncssh.SSHClientConnection | None,
) -> asyncssh.SSHClientConnection:
    """One attempt.

    Raises:
        _NewHostError: the host is to be vouched for first.
        UnreachableError: there is no connection.
    """
    known = settings.hosts.known(settings.name)
    # The known kinds go first, but not alone: a host that shows another one has changed, which is to be said.
    # Where nothing is known, no certificate is of use, and the same host has a plain key.
    kinds: tuple[()] | str = _PLAIN_TOO if settings.hosts.knows(settings.name) else _NO_CERTIFICATES
    if settings.kinds_of_host_keys:
        kinds = ()
    try:
        async with asyncio.timeout(LOGIN_S) as patience:
            client = _Client(login, _unhurried(ask, patience), keys)
            return await asyncssh.connect(
                **hop.options,
                config=settings.files,
                tunnel=way,
                client_factory=lambda: client,
                # All keys are offered by the client, in its order.
                client_keys=None,
                known_hosts=lambda host, address, port: known,
                server_host_key_algs=kinds,
                login_timeout=LOGIN_S + PATIENCE_S,
                keepalive_interval=_KEEPALIVE_S,
                keepalive_count_max=_KEEPALIVES,
                compression_algs=["zlib@openssh.com", "none"],
                agent_forwarding=False,
                x11_forwarding=False,
            )
    except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
        raise _of_host_key(settings, client.shown, error, hop) from error
    except (asyncssh.Error, OSError, ValueError) as error:
        if client.unanswered is not None:
            raise UnansweredError(unanswered(hop.host, "what it asks", client.unanswered)) from error
        if isinstance(error, asyncssh.PermissionDenied):
            raise LoginRefusedError(not_let_in(hop.host, settings.user, login.key)) from error
        raise UnreachableError(why_not(hop.host, error, LOGIN_S)) from error


def _of_host_key(
    settings: Settings, shown: asyncssh.SSHKey | None, error: asyncssh.Error, hop: Hop
) -> Exception:
    """What to raise where the host's key is at fault."""
    if not settings.hosts.knows(settings.name):
        return UnreachableError(why_not(hop.host, error, LOGIN_S)) if shown is None else _NewHostError(shown)
    if shown is not None:
        return HostKeyChangedError(settings.hosts.change(settings.name, f"it shows {_fingerprint(shown)}"))
    if isinstance(error, asyncssh.HostKeyNotVerifiable) or "host key" in str(error):
        return HostKeyChangedError(settings.hosts.change(settings.name, error.reason))
    return UnreachableError(why_not(hop.host, error, LOGIN_S))


def _unhurried(ask: Ask, patience: asyncio.Timeout) -> Ask:
    """Asks, and has the time that this takes not count."""

    async def asking(place: str, kind: Kind, text: str, prompts: Sequence[Prompt]) -> Sequence[str]:
        patience.reschedule(None)
        try:
            return await ask(place, kind, text, prompts)
        finally:
            patience.reschedule(asyncio.get_running_loop().time() + LOGIN_S)

    return asking


async def _keys(
    settings: Settings, key: PrivateKey, offered: Sequence[asyncssh.SSHKeyPair], ask: Ask
) -> Sequence[asyncssh.SSHKeyPair]:
    """All keys that a host is to be shown, in order."""
    own = await key.pairs({pair.public_data for pair in offered}, ask)
    public: set[bytes | None] = {pair.public_data for pair in own} or {await key.public()}
    twins = [pair for pair in offered if pair.public_data in public and not own]
    others = [pair for pair in offered if pair.public_data not in public]
    return [*settings.keys, *own, *twins, *([] if settings.only_named_keys else others[:_OTHERS])]


async def _vouch(login: Login, name: str, key: asyncssh.SSHKey, ask: Ask) -> None:
    """Have a person accept a new host.

    Raises:
        UnreachableError: nobody does.
    """
    text = (
        f"The host {name} is new here. It shows the key {_fingerprint(key)}. "
        "Is it the one that its administrators publish?"
    )
    try:
        await ask(login.place, Kind.HOST_KEY, text, ())
    except NoAnswerError as error:
        raise UnreachableError(unanswered(name, "whether its key is the right one", error)) from error
    await asyncio.to_thread(accept, login.known_hosts, name, key)


def _fingerprint(key: asyncssh.SSHKey) -> str:
    """As ssh shows it."""
    return f"{key.get_fingerprint()} ({key.get_algorithm()})"
