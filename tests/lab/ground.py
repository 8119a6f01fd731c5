"""Where a lab's cluster lives: on this machine as it is, or in a debootstrapped system of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.processes import MARK
from tests.lab.spec import LabSpec
from tests.lab.waiting import wait_for


def ground_of(spec: LabSpec) -> Ground:
    """The ground of a lab."""
    return Chroot(spec, spec.root) if spec.root else Ground(spec)


class Ground:
    """This machine."""

    def __init__(self, spec: LabSpec) -> None:
        self.spec = spec

    def prepare(self) -> None:
        """Make ready what the cluster stands on.

        Raises:
            LabError: it can't be made ready.
        """
        # The package's service would make it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

    def clear(self) -> None:
        """Take away what was prepared; the processes have been ended."""
        self._unmount_all()

    def argv(self, command: Sequence[str]) -> list[str]:
        """What to run here, for *command* to be run in the cluster."""
        return list(command)

    def here(self, path: str) -> Path:
        """An absolute path of the cluster's, as this machine sees it."""
        return Path(path)

    def run(
        self, *command: str, stdin: str = "", timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the cluster as root, whatever it answers.

        Raises:
            LabError: it is not there, or takes longer than *timeout_s* seconds.
        """
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": "/root",
            "SLURM_CONF": self.spec.conf,
            MARK: self.spec.name,
        }
        # Not pipes: a daemon would keep them open for good, and whoever reads them would wait for it.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                done = subprocess.run(
                    self.argv(command),
                    input=stdin.encode(),
                    stdout=out,
                    stderr=err,
                    timeout=timeout_s,
                    env=environment,
                    cwd="/",
                    start_new_session=True,
                    check=False,
                )
            except FileNotFoundError as error:
                raise LabError(f"There is no program {error.filename!r} on this machine.") from error
            except subprocess.TimeoutExpired as error:
                raise LabError(f"{shlex.join(command)} took longer than {timeout_s:g} s.") from error
            out.seek(0)
            err.seek(0)
            said = (out.read().decode(errors="replace"), err.read().decode(errors="replace"))
        return subprocess.CompletedProcess(command, done.returncode, *said)

    def must(self, *command: str, stdin: str = "", timeout_s: float = 60.0) -> str:
        """Run a command as :meth:`run` does, and return what it printed.

        Raises:
            LabError: it fails; the sentence has its words.
        """
        done = self.run(*command, stdin=stdin, timeout_s=timeout_s)
        if done.returncode:
            words = (done.stderr.strip() or done.stdout.strip() or "without a word").replace("\n", "; ")
            raise LabError(f"{shlex.join(command)} failed (exit code {done.returncode}): {words}")
        return done.stdout

    def _unmount_all(self) -> None:
        """Small disks, as far as there are any."""
        below = self.spec.folder + "/"
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed(mounts):
            if mount.startswith(below):
                self.run("umount", "--lazy", mount)


class Chroot(Ground):
    """A debootstrapped system: its own SLURM, Python and accounts, and no file shared with this machine.

    The system's folder is only read: what the lab writes goes to a memory file system laid over it, in a
    mount namespace of its own, which ends with the last process of the lab.
    """

    def __init__(self, spec: LabSpec, root: str) -> None:
        super().__init__(spec)
        self.root = root

    @property
    def _keeper(self) -> Path:
        """Holds the id of the process that holds the namespace."""
        return self.spec.here / "keeper"

    def prepare(self) -> None:
        own = Path(self.spec.folder)
        for name in ("overlay", "root"):
            (own / name).mkdir()
        words = {
            "own": shlex.quote(self.spec.folder),
            "root": shlex.quote(self.root),
            "host": shlex.quote(socket.gethostname()),
        }
        script = _CHROOT.format(**words)
        with (own / "keeper.log").open("w") as log:
            subprocess.run(
                ["setsid", "--fork", "unshare", "--mount", "sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, MARK: self.spec.name},
                check=True,
            )
        try:
            wait_for(self._keeper.exists, f"the system in {self.root!r}", 10)
        except LabError as error:
            said = (own / "keeper.log").read_text().strip().replace("\n", "; ")
            raise LabError(f"A lab can't live in {self.root!r}: {said}") from error

    def clear(self) -> None:
        # The namespace has ended with its processes, and with it all mounts and accounts.
        return

    def here(self, path: str) -> Path:
        # Not by way of the folder that is bound into the system: what is mounted there is not seen outside.
        return Path(f"/proc/{self._keeper.read_text().strip()}/root{path}")

    def argv(self, command: Sequence[str]) -> list[str]:
        keeper = self._keeper.read_text().strip()
        program = shutil.which("nsenter") or "nsenter"
        return [program, "--target", keeper, "--mount", "--root", "--wd", "--", *command]


# The keeper tells its id from inside, and renames the file when it is whole: whoever sees it finds all ready.
_CHROOT = """\
set -e
cd {own}
mount -t tmpfs -o mode=755 lab overlay
mkdir overlay/upper overlay/work
mount -t overlay -o lowerdir={root},upperdir={own}/overlay/upper,workdir={own}/overlay/work lab root
mount --rbind /dev root/dev
mount --rbind /sys root/sys
mount -t proc lab root/proc
mount -t tmpfs -o mode=755 lab root/run
mkdir -p root/run/sshd root/lab
mount --bind cluster root/lab
printf '127.0.0.1 localhost %s\\n' {host} >root/etc/hosts
exec chroot root sh -c 'echo $$ >/lab/keeper.new && mv /lab/keeper.new /lab/keeper && exec sleep infinity'
"""
