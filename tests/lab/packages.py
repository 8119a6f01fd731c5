"""The Debian packages of a lab: `python -m tests.lab.packages` installs what is missing, if it may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

_PACKAGES = {
    "munged": "munge",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
    "sshd": "openssh-server",
    "sudo": "sudo",
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server",
    "debootstrap": "debootstrap",
}
"""A program of each package that is called by the lab, with the package."""

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

INSTALL_S = 600.0


def missing() -> list[str]:
    """The packages that are not there."""
    return [package for program, package in _PACKAGES.items() if not shutil.which(program, path=_SYSTEM_PATH)]


def why_no_lab() -> str | None:
    """Why a lab can't be had on this machine, in one sentence without its full stop; None: it can."""
    if os.geteuid() != 0:
        return "a lab with a real SLURM needs root"
    if absent := missing():
        return f"a lab with a real SLURM needs the packages {' '.join(absent)}"
    return None


def install() -> str | None:
    """Install what is missing, if that is possible here; what :func:`why_no_lab` says afterwards.

    At once when nothing is missing, else it takes minutes. The services are not started.
    """
    if os.geteuid() == 0 and (absent := missing()) and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *absent]):
            done = subprocess.run(
                ["apt-get", "--quiet", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INSTALL_S,
                check=False,
            )
            if done.returncode:
                words = done.stderr.strip().splitlines()[-1:] or ["without a word"]
                return (
                    f"a lab with a real SLURM needs packages, and apt-get {arguments[0]} failed: {words[0]}"
                )
    return why_no_lab()


if __name__ == "__main__":
    if reason := install():
        sys.stdout.write(f"No SLURM lab here: {reason}. Its tests are skipped.\n")
