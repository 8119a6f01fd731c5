"""What SSH configurations say of a host: ours, and the user's own."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from runners.transport.base import UnreachableError
from runners.transport.host_keys import SYSTEMS, USERS, HostKeys, name_of
from runners.transport.login import Login

_JUMP = re.compile(r"(?:(?P<user>.+)@)?(?P<host>\[[^\]]+\]|[^:]+)(?::(?P<port>\d+))?")
"""One host of ProxyJump; see ssh_config(5)."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A host on the way, or the one that it leads to."""

    host: str
    user: str | None = None
    port: int | None = None
    """What is not given comes from the configuration."""
    last: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """For asyncssh."""
        given = {"host": self.host, "username": self.user, "port": self.port}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says of a host, and what is known of it."""

    files: Sequence[str]
    """The configuration."""
    host: str
    """The name or address that it is reached by."""
    port: int
    command: str
    """What is run to reach it, its ProxyCommand; empty where there is none."""
    user: str
    name: str
    """What the host is called in known_hosts files."""
    hosts: HostKeys
    jumps: str
    agent: str
    only_named_keys: bool
    kinds_of_host_keys: str
    keys: Sequence[asyncssh.SSHKeyPair]
    """Those that the user has for it; of the last host, the profile names the key."""


def way_to(login: Login, hop: Hop) -> Sequence[Hop]:
    """The hosts on the way to a host: each leads to the next one. Reads files.

    Raises:
        UnreachableError: what is configured can't be read.
    """
    way: list[Hop] = []
    first, seen = hop, {hop.host}
    while jumps := list(_jumps_of(read_settings(login, first).jumps)):
        first = jumps[0]
        if first.host in seen:
            # A pattern that was meant for what lies behind it.
            break
        seen.add(first.host)
        way[:0] = jumps
    return way


def _jumps_of(jumps: str) -> Iterator[Hop]:
    """The hosts of ProxyJump; see ssh_config(5).

    Raises:
        UnreachableError: it can't be read.
    """
    for text in filter(None, jumps.split(",")):
        match = _JUMP.fullmatch(text.strip())
        if match is None:
            raise UnreachableError(
                f"the ProxyJump {text!r} of your SSH configuration is not [user@]host[:port]"
            )
        port = None if match["port"] is None else int(match["port"])
        yield Hop(match["host"].strip("[]"), match["user"], port)


def read_settings(login: Login, hop: Hop) -> Settings:
    """What is configured and known of a host. Reads files.

    Raises:
        UnreachableError: a file can't be read.
    """
    wanted = (login.ssh_config, Path("~/.ssh/config").expanduser())
    files = [str(path) for path in wanted if path.is_file()]
    # A user may have keys of their own for a host on the way.
    keys: tuple[()] | None = None if hop.last else ()
    try:
        options = asyncssh.SSHClientConnectionOptions(**hop.options, config=files, client_keys=keys)
    except (OSError, ValueError) as error:
        raise UnreachableError(f"the SSH configuration for {hop.host!r} can't be used: {error}") from error
    users = _paths(options.config.get("UserKnownHostsFile"), USERS)
    systems = _paths(options.config.get("GlobalKnownHostsFile"), SYSTEMS)
    agent = options.config.get("IdentityAgent", "SSH_AUTH_SOCK")
    return Settings(
        files=files,
        host=options.host,
        port=options.port,
        command=shlex.join(options.proxy_command or ()),
        user=options.username,
        name=options.host_key_alias or name_of(options.host, options.port),
        hosts=HostKeys.read([login.known_hosts, *users, *systems]),
        jumps=options.tunnel if isinstance(options.tunnel, str) else "",
        agent=os.environ.get("SSH_AUTH_SOCK", "") if agent == "SSH_AUTH_SOCK" else str(agent or ""),
        only_named_keys=bool(options.config.get("IdentitiesOnly")),
        kinds_of_host_keys=str(options.config.get("HostKeyAlgorithms") or ""),
        keys=list(options.client_keys or []),
    )


def _paths(configured: object, usual: Sequence[Path]) -> Sequence[Path]:
    return [Path(str(path)) for path in configured] if isinstance(configured, list) else usual
