"""The lab as a fixture."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.config.home import Home
from tests.engine.clusters import ClusterLab
from tests.engine.lab import Lab
from tests.lab.lab import Lab as Slurm


@pytest.fixture
def lab(home: Home) -> Iterator[Lab]:
    """A home with two local slots, and the handles to work with its engine."""
    lab = Lab(home)
    yield lab
    lab.store.close()


@pytest.fixture(params=["lab-sudo", "lab-ssh"])
def cluster(
    request: pytest.FixtureRequest, lab_session: Slurm, home: Home, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClusterLab]:
    """A home with a healthy cluster, which is reached in one way or the other."""
    yield from _cluster(lab_session, home, monkeypatch, request.param)


@pytest.fixture
def accounting_cluster(
    accounting_lab_session: Slurm, home: Home, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClusterLab]:
    """The same with accounting, through sudo."""
    yield from _cluster(accounting_lab_session, home, monkeypatch, "lab-sudo")


def _cluster(
    slurm: Slurm, home: Home, monkeypatch: pytest.MonkeyPatch, resource: str
) -> Iterator[ClusterLab]:
    slurm.heal()
    for name in ("SLURM_CONF", "PATH"):
        if name in slurm.environment:
            monkeypatch.setenv(name, slurm.environment[name])
    lab = ClusterLab(home, slurm, resource)
    yield lab
    lab.store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)]
    if os.getuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small file system can be mounted only by root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
