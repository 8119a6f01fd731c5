"""Fixtures of the runners' tests."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runners.worker_lab import Lab, until


@pytest.fixture
def lab(tmp_path: Path, python: str) -> Iterator[Lab]:
    """A batch folder for the worker under the interpreter `python`; what it starts is ended with the test."""
    made = Lab(tmp_path / "batch", python)
    yield made
    made.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=64", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, capture_output=True)
    if mounted.returncode:
        pytest.skip("no small file system can be mounted: " + mounted.stderr.decode(errors="replace"))
    yield disk
    until(lambda: not subprocess.run(["umount", str(disk)], capture_output=True).returncode)
