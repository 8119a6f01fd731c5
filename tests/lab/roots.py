"""Debootstrapped systems, each with another release of SLURM and its own Python.

They are kept in `~/.cache/runyard-lab`, or where `RUNYARD_LAB_CACHE` says; a lab only reads them. Each takes
a minute or two and 300 MB, once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.lab.errors import LabError

RELEASES: Mapping[str, str] = {"20.11": "bullseye", "22.05": "bookworm", "24.11": "trixie"}
"""The Debian release that has a SLURM release."""

_PACKAGES = ("slurm-wlm", "munge", "python3", "openssh-server")
_MIRRORS = ("http://deb.debian.org/debian", "http://archive.debian.org/debian")
"""The second one has the releases that have left the first."""
_TIMEOUT_S = 1200


def cache() -> Path:
    """The folder with the systems."""
    return Path(os.environ.get("RUNYARD_LAB_CACHE") or Path.home() / ".cache" / "runyard-lab")


def ensure_root(release: str) -> Path:
    """The system with a SLURM release; it is made when there is none.

    Raises:
        LabError: it can't be made.
    """
    suite = RELEASES[release]
    root = cache() / suite
    if not (root / "usr/sbin/slurmctld").exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all.
        with tempfile.TemporaryDirectory(prefix=f".{suite}-", dir=root.parent) as draft:
            _debootstrap(suite, Path(draft) / suite)
            try:
                (Path(draft) / suite).rename(root)
            except OSError:
                # Somebody else may have made it meanwhile.
                if not root.exists():
                    raise
    return root


def _debootstrap(suite: str, folder: Path) -> None:
    words = "without a word"
    for mirror in _MIRRORS:
        shutil.rmtree(folder, ignore_errors=True)
        try:
            done = subprocess.run(
                [
                    # What it mounts in there is gone when it has ended, however that was.
                    *("unshare", "--mount", "debootstrap", "--variant=minbase"),
                    *(f"--include={','.join(_PACKAGES)}", suite, str(folder), mirror),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"Making a Debian {suite} takes longer than {_TIMEOUT_S} s.") from error
        if done.returncode == 0:
            return
        words = (done.stdout.strip().splitlines() or [words])[-1]
    raise LabError(f"A Debian {suite} can't be made: {words}")
