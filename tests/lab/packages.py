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
    "ssh": "openssh-client",
    "sudo": "sudo",
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server",
    "debootstrap": "debootstrap",
    "pgrep": "procps",
}
"""A program of each package that is called by the lab, with the package."""

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_INSTALL_S = 900.0


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

    At once when nothing is missing, else it takes minutes. A lab needs none of the services that Debian may
    start with them.
    """
    if os.geteuid() == 0 and (absent := missing()) and shutil.which("apt-get"):
        # Its lists may be old, or there may be none; where that can't be mended, those that are there may do.
        _apt_get("update")
        if words := _apt_get("install", "--yes", "--no-install-recommends", *absent):
            return f"a lab with a real SLURM needs packages that can't be installed: {words}"
    return why_no_lab()


def _apt_get(*arguments: str) -> str:
    """Run apt-get; its last words if it fails."""
    try:
        done = subprocess.run(
            ["apt-get", "--quiet", *arguments],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSTALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it takes longer than {_INSTALL_S:g} s"
    if not done.returncode:
        return ""
    return (done.stderr.strip().splitlines() or ["apt-get failed without a word"])[-1]


if __name__ == "__main__":
    if reason := install():
        sys.stdout.write(f"No SLURM lab here: {reason}. Its tests are skipped.\n")
