"""Preflight of an SSH resource, as far as it needs nobody's word over there: the key, the name, the port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

from runners.checking.sentences import sentence, told_by
from runners.config.errors import shown
from runners.findings import Finding, FindingState
from runners.transport.base import UnreachableError
from runners.transport.local import words
from runners.transport.login import Login
from runners.transport.private_key import PrivateKey, agent_keys
from runners.transport.ssh_settings import Hop, Settings, read_settings, way_to

_NAME_S = 10.0
_PORT_S = 10.0
"""For a connection, and again for the server's first words."""

_NUMBER = "2222"
"""A port to show how it is written."""
_USERS = "~/.ssh/config"

_BANNER_BYTES = 8192
"""A server may say something before it names itself; see RFC 4253, 4.2."""


_TURNED_AWAY = ("Not allowed at this time", "Exceeded MaxStartups")
"""What sshd says in place of its name; see PerSourcePenalties and MaxStartups of sshd_config(5)."""


async def key_findings(login: Login) -> AsyncIterator[Finding]:
    """Whether the key of *login* can be used: `key file`."""
    key = PrivateKey(login)
    try:
        locked = await key.is_locked()
        settings = await asyncio.to_thread(read_settings, login, _target(login)) if locked else None
    except UnreachableError as error:
        detail, fix = told_by(error)
        yield Finding(
            "key file", FindingState.FAILURE, detail, fix, evidence=f"the file {shown(login.key)}",
            of="profile", field="ssh_key_path",
        )  # fmt: skip
        return
    detail = f"{shown(login.key)} is a private key that only you can read"
    if settings is not None:
        public = await key.public()
        async with agent_keys(settings.agent) as offered:
            in_agent = public is not None and public in {pair.public_data for pair in offered}
        detail += (
            ", encrypted, and your SSH agent has it"
            if in_agent
            else ", encrypted; Runyard asks for its passphrase when it connects"
        )
    yield Finding("key file", FindingState.OK, f"{detail}.")


async def address_findings(login: Login) -> AsyncIterator[Finding]:
    """Whether what this machine has to connect to is there: `host name` and `port`."""
    try:
        hop, settings = await asyncio.to_thread(_first_of, login)
    except UnreachableError as error:
        detail, fix = told_by(error)
        yield Finding("host name", FindingState.FAILURE, detail, fix)
        return
    if settings.command:
        detail = f"The ProxyCommand of your SSH configuration leads to {shown(hop.host)}."
        yield Finding("host name", FindingState.OK, detail, evidence=settings.command)
        yield Finding("port", FindingState.OK, "It is the ProxyCommand that connects.")
        return
    name = await _name_finding(login, hop, settings)
    yield name
    if name.state is not FindingState.FAILURE:
        yield await _port_finding(hop, settings)


def _configuration(settings: Settings) -> str:
    """What a user knows as their SSH configuration: the files that there are, the one that counts first."""
    return f"your SSH configuration ({', '.join(map(shown, settings.files)) or _USERS})"


def _other_port(hop: Hop, settings: Settings) -> str:
    """How to say that a host listens on another port: the end of a fix."""
    if hop.port is not None:
        return f"its port comes from the ProxyJump of {_configuration(settings)}."
    file = shown(settings.files[0]) if settings.files else _USERS
    return (
        f"if its SSH server listens on another port, add this before the first Host line of {file}, "
        f"with that port in place of {_NUMBER}:\nHost {shown(hop.host)}\n  Port {_NUMBER}"
    )


def _target(login: Login) -> Hop:
    return Hop(login.host, login.user, last=True)


def _first_of(login: Login) -> tuple[Hop, Settings]:
    """The host that this machine connects to itself, which may lead to the one that is meant."""
    target = _target(login)
    first = next(iter(way_to(login, target)), target)
    return first, read_settings(login, first)


async def _name_finding(login: Login, hop: Hop, settings: Settings) -> Finding:
    host = settings.host
    called = shown(hop.host) if hop.host == host else f"{shown(hop.host)}, which is {shown(host)}"
    through = "" if hop.last else f"The way to {shown(login.host)} leads through {shown(hop.host)}. "
    fix = (
        f"Correct the host of the resource, or the HostName for {shown(hop.host)} in "
        f"{_configuration(settings)}."
    )
    try:
        async with asyncio.timeout(_NAME_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, settings.port, type=socket.SOCK_STREAM)
    except TimeoutError:
        detail = f"{through}No name server says within {_NAME_S:g} s what the address of {called} is."
        return Finding("host name", FindingState.UNTOLD, detail, "See whether this machine has a network.")
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            detail = f"{through}No name server knows {called}, or none answers."
        else:
            detail = f"{through}The name {called} is not known."
        return Finding(
            "host name", FindingState.FAILURE, detail, fix, evidence=sentence(words(error)),
            of="resource", field="host",
        )  # fmt: skip
    addresses = ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found))
    what = "is" if addresses == host else f"is {shown(host)}, which has the address"
    if hop.host == host:
        what = "has the address"
    detail = f"{through}{shown(hop.host)} {what} {addresses}."
    if hop.host == host == addresses:
        detail = f"{through}{shown(host)} is an address, and needs no name server."
    return Finding("host name", FindingState.OK, detail)


async def _port_finding(hop: Hop, settings: Settings) -> Finding:
    where = f"port {settings.port} of {shown(settings.host)}"
    elsewhere = _other_port(hop, settings)
    try:
        banner = await _banner(settings.host, settings.port)
    except ConnectionRefusedError as error:
        detail = f"Nothing listens on {where}: the connection is refused."
        fix = f"See whether {shown(hop.host)} is up; {elsewhere}"
        evidence = words(error)
    except TimeoutError:
        detail = f"There is no answer from {where} within {_PORT_S:g} s."
        fix = f"See whether this machine is in the right network and no firewall is in between; {elsewhere}"
        evidence = "connect: timed out"
    except OSError as error:
        detail = f"There is no way to {where}: {words(error)}."
        fix = f"See whether this machine is in the right network; {elsewhere}"
        evidence = words(error)
    else:
        if name := _server_of(banner):
            return Finding("port", FindingState.OK, f"An SSH server answers on {where}.", evidence=name)
        said = banner.splitlines()[0] if banner else ""
        if said.startswith(_TURNED_AWAY):
            detail = (
                f"The SSH server on {where} turns this machine away for the moment: {shown(said[:60])!r}."
            )
            fix = (
                "It does so after failed logins, or while there are many: wait some minutes, and check again."
            )
            return Finding("port", FindingState.FAILURE, detail, fix, evidence=shown(banner[:400]))
        heard = f"it says {shown(said[:60])!r}" if said else "it says nothing"
        detail = f"What answers on {where} is no SSH server: {heard}."
        fix = f"Correct the host of the resource; {elsewhere}"
        evidence = shown(banner[:400])
    return Finding(
        "port", FindingState.FAILURE, detail, fix, evidence=evidence, of="resource", field="host"
    )  # fmt: skip


async def _banner(host: str, port: int) -> str:
    """What a server says first, up to the line with which an SSH server names itself.

    Raises:
        OSError: there is no connection.
    """
    async with asyncio.timeout(_PORT_S):
        reader, writer = await asyncio.open_connection(host, port, limit=_BANNER_BYTES)
    said = b""
    try:
        async with asyncio.timeout(_PORT_S):
            while len(said) < _BANNER_BYTES and (data := await reader.read(_BANNER_BYTES)):
                said += data
                if _server_of(said.decode("latin-1")) and said.endswith(b"\n"):
                    break
    except (TimeoutError, ConnectionError):
        # What it has said until then tells enough.
        pass
    finally:
        writer.transport.abort()
    return said.decode("utf-8", "replace")


def _server_of(banner: str) -> str:
    """The name of an SSH server among its first words; empty if it is none."""
    lines: Sequence[str] = banner.splitlines()
    return next((shown(line) for line in lines if line.startswith("SSH-")), "")
