"""What the tests of transports share: users of their own, sudo rules for them, and an sshd."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.transport.far import Far
from tests.transport.sshd import Sshd, account

GRANTED = "/usr/bin/sbatch, /usr/bin/scancel, /usr/bin/cat, /usr/bin/ls, /usr/bin/mkdir"


@dataclass(frozen=True)
class Acting:
    """Somebody who may act for somebody else."""

    operator: str
    target: str
    home: Path
    """A folder of the target's, which nobody else can look into."""
    allow: Callable[[str], None]
    """Replaces the sudoers file: `allow("")` takes all away."""

    @property
    def as_operator(self) -> tuple[str, ...]:
        """What makes a command run as the operator."""
        return ("setpriv", "--reuid", self.operator, "--regid", self.operator, "--init-groups", "--")

    def write(self, name: str, data: bytes, mode: int = 0o600) -> str:
        """Make a file of the target's, and return its path."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.give(path)
        path.chmod(mode)
        return str(path)

    def give(self, path: Path) -> None:
        """Make a file or folder the target's."""
        user = pwd.getpwnam(self.target)
        os.chown(path, user.pw_uid, user.pw_gid)


@pytest.fixture(scope="session")
def users() -> Iterator[tuple[str, str]]:
    """Two users without rights, an operator and a target; both are gone afterwards."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("sudo", "useradd", "setpriv"))):
        pytest.skip("needs root, sudo, useradd and setpriv")
    names = (f"ryop{os.getpid()}", f"rytg{os.getpid()}")
    try:
        for name in names:
            subprocess.run(["useradd", "--no-create-home", "--shell", "/bin/sh", name], check=True)
        yield names
    finally:
        for name in names:
            subprocess.run(["userdel", name], check=False, capture_output=True)


@pytest.fixture
def acting(users: tuple[str, str]) -> Iterator[Acting]:
    """An operator who is granted the five commands as the target, and nothing else."""
    operator, target = users
    rules = Path(f"/etc/sudoers.d/runyard-test-{os.getpid()}")

    def allow(text: str) -> None:
        # Put in place whole: sudo refuses everybody while a file of its rules is broken.
        draft = rules.with_name(f"{rules.name}.draft")
        draft.write_text(f"{text}\n")
        draft.chmod(0o440)
        draft.rename(rules)

    # Not below pytest's own folder, which is closed to others.
    home = Path(tempfile.mkdtemp(prefix="runyard-test-", dir="/tmp"))
    try:
        acting = Acting(operator, target, home, allow)
        acting.give(home)
        allow(f"{operator} ALL=({target}) NOPASSWD: {GRANTED}")
        yield acting
    finally:
        rules.unlink(missing_ok=True)
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def far_user() -> Iterator[tuple[str, Path]]:
    """A user to log in as, and their home; both are gone afterwards."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("sshd", "useradd", "ssh-keygen"))):
        pytest.skip("needs root, sshd, ssh-keygen and useradd")
    folder = Path(tempfile.mkdtemp(prefix="runyard-test-", dir="/tmp"))
    folder.chmod(0o755)
    name = f"ryf{os.getpid()}"
    try:
        with account(name, folder / "home"):
            yield name, folder / "home"
    finally:
        shutil.rmtree(folder)


@pytest.fixture
async def far(
    far_user: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Far]:
    """A host that runs, known to its client."""
    user, home = far_user
    # Nothing of whoever runs the tests: no settings, no known hosts, no agent.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="sshd-", dir=home.parent))
    far = Far(Sshd(folder, user), home, tmp_path / "here")
    far.sshd.set_up()
    far.sshd.start()
    far.trust()
    yield far
    await far.close()
    for left in home.iterdir():
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
