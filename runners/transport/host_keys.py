"""Whether a host is the one it was before: the known_hosts files of the user, of the system, and our own.

A new host is for a person to accept; one whose key has changed is refused, and no question is asked.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import asyncssh

from runners.transport.base import UnreachableError

_SYSTEM = Path("/etc/ssh/ssh_known_hosts")

Known = tuple[Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey]]
"""Keys of a host, keys of its authorities, and keys that are revoked."""


class Standing(Enum):
    """What can be said of a host by its key."""

    NEW = auto()
    CHANGED = auto()
    REVOKED = auto()


@dataclass(frozen=True, slots=True)
class Offered:
    """A key that a host has shown and that is not trusted."""

    host: str
    """As it is called in known_hosts files."""
    key: asyncssh.SSHKey
    standing: Standing

    @property
    def fingerprint(self) -> str:
        """As ssh shows it."""
        return f"{self.key.algorithm.decode('ascii')} {self.key.get_fingerprint()}"


class HostKeys:
    """The keys of hosts. All methods read files: they are for threads."""

    def __init__(self, own: Path) -> None:
        """*own* is the file that accepted keys go to; it need not be there."""
        self._own = own
        self._files = [own, Path.home() / ".ssh" / "known_hosts", _SYSTEM]

    def known(self, host: str, address: str, port: int) -> Known:
        """What is known of a host.

        Raises:
            UnreachableError: a file can't be read.
        """
        found: list[list[asyncssh.SSHKey]] = [[], [], []]
        for hosts in self._read():
            for name in dict.fromkeys((_name(host, port), _name(address, port))):
                # By its name with the port, as ssh does: another port is another server.
                for kind, keys in zip(found, hosts.match(name, "", None)[:3], strict=True):
                    kind.extend(keys)
        return (found[0], found[1], found[2])

    def judge(self, host: str, address: str, port: int, key: asyncssh.SSHKey) -> Offered:
        """What a key that is not trusted means."""
        keys, _, revoked = self.known(host, address, port)
        standing = Standing.REVOKED if key in revoked else Standing.CHANGED if keys else Standing.NEW
        return Offered(_name(host, port), key, standing)

    def accept(self, offered: Offered) -> None:
        """From now on the host is known by this key.

        Raises:
            UnreachableError: that can't be written down.
        """
        line = f"{offered.host} {offered.key.export_public_key().decode('ascii').strip()}\n"
        try:
            self._own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._own, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UnreachableError(
                f"the host's key can't be kept in {str(self._own)!r}: {error.strerror}"
            ) from error

    def where(self, host: str) -> str:
        """The file that knows *host*, as it is called there; our own where none says so."""
        for path in self._files:
            try:
                if host in path.read_text("utf-8", "replace"):
                    return str(path)
            except OSError:
                continue
        return str(self._own)

    def _read(self) -> list[asyncssh.SSHKnownHosts]:
        read = []
        for path in self._files:
            try:
                read.append(asyncssh.read_known_hosts(str(path)))
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                raise UnreachableError(f"the known hosts in {str(path)!r} can't be read: {error}") from error
        return read


def _name(host: str, port: int) -> str:
    return host if port == 22 else f"[{host}]:{port}"
