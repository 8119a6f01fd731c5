"""Bringing a lab up: what must be there, in which order."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.accounting import start_accounting
from tests.lab.accounts import add_users, sudoers, write_operators_sudo, write_sudoers
from tests.lab.errors import LabError
from tests.lab.ground import Ground
from tests.lab.login import set_up_login, start_sshd
from tests.lab.runyard_home import know_host, make_runyard_home
from tests.lab.slurm_conf import gres_conf, slurm_conf
from tests.lab.spec import MOST_NODES, LabSpec


def check(spec: LabSpec) -> None:
    """Whether a lab can be as *spec* has it.

    Raises:
        LabError: it can't.
    """
    folder = Path(spec.folder)
    if not 1 <= spec.nodes <= MOST_NODES:
        raise LabError(f"A lab has 1 to {MOST_NODES} nodes, not {spec.nodes}.")
    if not spec.folder.isascii() or any(character.isspace() for character in spec.folder):
        raise LabError(f"{spec.folder!r} can't stand in slurm.conf; name a folder without spaces, in ASCII.")
    if len(spec.folder) > 60:
        raise LabError(f"{spec.folder!r} is too long for the sockets in it; name a folder of 60 characters.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabError(f"{spec.folder!r} is not an empty folder; name one that is, or that is not there yet.")
    for part in reversed(folder.parents):
        if part.exists() and not part.stat().st_mode & 0o001:
            raise LabError(
                f"Jobs run as other users, who can't pass {str(part)!r}; choose one elsewhere, as /tmp/lab."
            )
    if spec.root is not None:
        if not (Path(spec.root) / "usr/sbin/slurmctld").exists():
            raise LabError(f"There is no system with a SLURM in {spec.root!r}.")
        if spec.accounting:
            raise LabError("A lab in another system has no accounting.")


def start_everything(ground: Ground) -> None:
    """Make the lab's files and users, and start its daemons, but for those of the nodes.

    Raises:
        LabError: something can't be made or started.
    """
    spec = ground.spec
    for name in ("munge", "state", "pid", "log", "spool"):
        (spec.here / name).mkdir(parents=True)
    for path in (Path(spec.folder), spec.here):
        path.chmod(0o755)
    spec.save()
    ground.prepare()
    _configure_slurm(ground)
    _start_munge(ground)
    add_users(ground)
    if spec.accounting:
        start_accounting(ground)
    ground.must("slurmctld", "-f", spec.conf)
    make_runyard_home(spec)
    set_up_login(ground)
    know_host(spec)
    if spec.root is None:
        write_sudoers(ground, sudoers(spec))
        write_operators_sudo(spec)
    start_sshd(ground)


def _configure_slurm(ground: Ground) -> None:
    spec = ground.spec
    release = tuple(int(part) for part in ground.must("slurmctld", "-V").split()[-1].split(".")[:2])
    # Older releases know no such plugin, newer ones can't do without where there is no systemd.
    cgroups = "CgroupPlugin=disabled\n" if release >= (23, 2) else ""
    (spec.here / "cgroup.conf").write_text(cgroups)
    (spec.here / "slurm.conf").write_text(slurm_conf(spec))
    (spec.here / "gres.conf").write_text(gres_conf(spec))
    for number in range(2):
        (spec.here / f"gpu{number}").touch()


def _start_munge(ground: Ground) -> None:
    base = ground.spec.base
    key = ground.spec.here / "munge" / "key"
    key.touch(mode=0o400)
    key.write_bytes(os.urandom(1024))
    files = {
        "socket": "sock",
        "key-file": "key",
        "pid-file": "pid",
        "log-file": "log",
        "seed-file": "seed",
    }
    ground.must("munged", *(f"--{option}={base}/munge/{file}" for option, file in files.items()))
