"""A real sshd of a test's own, on a free port of this machine."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runners.transport.login import Login


@dataclass
class Sshd:
    """A server in a folder of its own, which lets one user in with one key."""

    folder: Path
    user: str
    port: int = 0
    options: tuple[str, ...] = ()
    """More lines for its configuration."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def key(self) -> Path:
        """The private key that is let in."""
        return self.folder / "key"

    @property
    def host_key(self) -> str:
        """Kind and key, as a known_hosts file has them."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    def set_up(self) -> None:
        """Make its keys, and let the user in."""
        self.folder.chmod(0o755)
        self.new_host_key()
        make_key(self.key)
        shutil.copy(self.key.with_suffix(".pub"), self.folder / "authorized_keys")
        self.port = self.port or free_port()

    def new_host_key(self, kind: str = "ed25519") -> None:
        """Have it be another machine, from its next start on."""
        for old in self.folder.glob("host_key*"):
            old.unlink()
        make_key(self.folder / "host_key", kind)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        settings = self.folder / "sshd_config"
        lines = (
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.folder}/host_key",
            "PidFile none",
            f"AuthorizedKeysFile {self.folder}/authorized_keys",
            "StrictModes no",
            "PasswordAuthentication no",
            "UsePAM no",
            *self.options,
        )
        settings.write_text("\n".join([*lines, ""]))
        Path("/run/sshd").mkdir(exist_ok=True)
        with (self.folder / "sshd.log").open("ab") as log:
            # In a group of its own: what serves the connections is ended together with it.
            self._process = subprocess.Popen(
                ["/usr/sbin/sshd", "-D", "-e", "-f", str(settings)], stderr=log, start_new_session=True
            )
        until = time.monotonic() + 10
        while not _listens(self.port):
            assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.01)

    def stop(self) -> None:
        """End it, with the connections that there are."""
        if self._process is not None:
            for pid in _below(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def login(self, home: Path, *, port: int | None = None, host: str = "127.0.0.1") -> Login:
        """How to log in; *home* is the folder of the SSH settings, which are written there."""
        home.mkdir(exist_ok=True)
        (home / "ssh_config").write_text(f"Host {host}\n  HostName 127.0.0.1\n  Port {port or self.port}\n")
        return Login(host, self.user, str(self.key), home / "ssh_config", home / "known_hosts")

    def known(self, port: int | None = None) -> str:
        """The line of a known_hosts file that knows it."""
        return f"[127.0.0.1]:{port or self.port} {self.host_key}\n"


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> None:
    """Make a pair of keys."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path)], check=True)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


@contextmanager
def account(name: str, home: Path, shell: str = "/bin/bash") -> Iterator[None]:
    """A user of this machine, as long as it is needed."""
    command = ["useradd", "--home-dir", str(home), "--no-create-home", "--shell", shell, "--password", "*"]
    subprocess.run([*command, name], check=True)
    try:
        home.mkdir(mode=0o755, exist_ok=True)
        user = pwd.getpwnam(name)
        os.chown(home, user.pw_uid, user.pw_gid)
        yield
    finally:
        # Commands go on when their line is gone, and a user who runs something can't be removed.
        _end_all_of(pwd.getpwnam(name).pw_uid)
        subprocess.run(["userdel", name], check=True, capture_output=True)


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def _end_all_of(uid: int) -> None:
    until = time.monotonic() + 5
    while left := [pid for pid in Path("/proc").glob("[0-9]*") if _owner(pid) == uid]:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)
        assert time.monotonic() < until
        time.sleep(0.01)


def _owner(process: Path) -> int | None:
    with contextlib.suppress(OSError):
        return process.stat().st_uid
    return None


def _below(pid: int) -> list[int]:
    """A process and all that it has started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            child, rest = stat.read_text().split(" ", 1)
            children.setdefault(int(rest.rpartition(")")[2].split()[1]), []).append(int(child))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found
