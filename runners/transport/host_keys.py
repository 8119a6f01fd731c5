"""Whether a host is the one it was before: the known_hosts files of the user, of the system, and our own.

A new host is for a person to accept. One that shows another key than before is refused, and nobody is asked.
"""

import contextlib
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from runners.transport.base import UnreachableError
from runners.transport.local import words

USERS = (Path("~/.ssh/known_hosts"), Path("~/.ssh/known_hosts2"))
"""Where ssh keeps the keys of a user's hosts, unless told otherwise; see ssh_config(5)."""

SYSTEMS = (Path("/etc/ssh/ssh_known_hosts"), Path("/etc/ssh/ssh_known_hosts2"))

_SSH_PORT = 22

Known = tuple[Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey]]
"""Keys of a host, keys of authorities that vouch for it, and revoked keys."""


@dataclass(frozen=True, slots=True)
class HostKeys:
    """All known hosts, as they were read. Addresses don't count: they may be another host's tomorrow."""

    _files: Sequence[tuple[Path, asyncssh.SSHKnownHosts]]

    @classmethod
    def read(cls, files: Sequence[Path]) -> "HostKeys":
        """Read known_hosts files; those that are not there hold nothing. To be called in a thread.

        Raises:
            UnreachableError: a file is there and can't be read.
        """
        return cls([(path, known) for path in files if (known := _read(path.expanduser())) is not None])

    def known(self, name: str) -> Known:
        """What is known of the host that is called *name* in such files."""
        keys: list[asyncssh.SSHKey] = []
        authorities: list[asyncssh.SSHKey] = []
        revoked: list[asyncssh.SSHKey] = []
        for _, hosts in self._files:
            some, of_authorities, no_more, *_ = hosts.match(name, "", None)
            keys += some
            authorities += of_authorities
            revoked += no_more
        return (keys, authorities, revoked)

    def knows(self, name: str) -> bool:
        """Whether the host can be told from others."""
        keys, authorities, _ = self.known(name)
        return bool(keys or authorities)

    def change(self, name: str, shown: str) -> str:
        """What to say of a host that is known, and shows something else."""
        where = [str(path) for path, hosts in self._files if any(hosts.match(name, "", None))]
        remove = f"ssh-keygen -R {shlex.quote(name)} -f {shlex.quote(where[0])}" if where else ""
        return (
            f"the key of the host {name!r} has changed: {shown}, and {' and '.join(where)} says otherwise. "
            "Someone may be listening in, so nothing was sent. Ask the administrators of the host; only if "
            f"they have changed it, forget the old key with: {remove}"
        )


def name_of(host: str, port: int) -> str:
    """What a host is called in known_hosts files: another port is another server."""
    return host if port == _SSH_PORT else f"[{host}]:{port}"


def accept(file: Path, name: str, key: asyncssh.SSHKey) -> None:
    """Have a host known by *key* from now on. To be called in a thread.

    Raises:
        UnreachableError: it can't be written down.
    """
    line = f"{name} {key.export_public_key().decode('ascii').strip()}\n"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "rb+", buffering=0) as lines:
            size = lines.seek(0, os.SEEK_END)
            # The last line of a file that somebody has edited may have no end.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            lines.write(b"\n" * torn + line.encode())
    except OSError as error:
        raise UnreachableError(f"the key of {name} can't be kept in {str(file)!r}: {words(error)}") from error


def _read(path: Path) -> asyncssh.SSHKnownHosts | None:
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreachableError(f"the known hosts in {str(path)!r} can't be read: {words(error)}") from error
    known = asyncssh.SSHKnownHosts()
    for line in text.split("\n"):
        # Other lines stay good where one is broken, or of a kind that is not understood.
        with contextlib.suppress(ValueError):
            known.load(line)
    return known
