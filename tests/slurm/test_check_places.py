"""Check of folders and Pythons, over both ways: each fault by the one finding that names it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.ground import Ground
from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster
from tests.slurm.findings import OK, WARNING, fault, found

pytestmark = pytest.mark.usefixtures("no_jobs_folder")


@pytest.mark.parametrize("folder", ["/root/runs", "/proc/runs", "/no-such-folder"])
async def test_a_jobs_folder_that_cannot_be_made(over_ssh: Callable[..., Cluster], folder: str) -> None:
    finding = await fault(over_ssh(profile_changes={"jobs_remote_dir": folder}), "jobs folder")
    assert folder in finding.detail
    assert (finding.of, finding.field) == ("profile", "jobs_remote_dir")


async def test_a_jobs_folder_below_a_file(over_ssh: Callable[..., Cluster]) -> None:
    cluster = over_ssh(profile_changes={"jobs_remote_dir": "/etc/passwd/runs"})
    assert "/etc/passwd on the host" in (await fault(cluster, "jobs folder")).detail


async def test_a_full_disk_over_ssh(lab: Lab, over_ssh: Callable[..., Cluster]) -> None:
    cluster = over_ssh(profile_changes={"jobs_remote_dir": lab.small_disk("ssh-disk", 1)})
    finding = await fault(cluster, "jobs folder space")
    assert "full" in finding.detail
    cluster = over_ssh(profile_changes={"jobs_remote_dir": lab.small_disk("ssh-disk-2", 200)})
    await fault(cluster, "jobs folder space", WARNING)


async def test_odd_names_of_folders(lab: Lab, over_ssh: Callable[..., Cluster]) -> None:
    odd = f"{lab.spec.home_of(lab.spec.user)}/a b'$(touch x)\"[red]/é"
    findings = await found(over_ssh(profile_changes={"jobs_remote_dir": odd}))
    assert [one for one in findings if one.state is not OK] == []


async def test_a_local_folder_that_cannot_be_written_to(
    opener: Callable[..., Cluster], tmp_path: Path, read_only: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    finding = await fault(opener(jobs_local_dir=str(tmp_path / "file" / "jobs")), "local folder")
    assert (finding.of, finding.field) == ("resource", "jobs_local_dir")
    assert "is a file" in finding.detail
    await fault(opener(jobs_local_dir=str(read_only)), "local folder")
    await fault(opener(jobs_local_dir=str(read_only / "a" / "b")), "local folder")


async def test_a_python_that_is_not_there(opener: Callable[..., Cluster]) -> None:
    finding = await fault(opener(jobs_slurm_python_worker="/no/such/python3"), "python", WARNING)
    assert "/no/such/python3" in finding.detail
    assert (finding.of, finding.field) == ("resource", "jobs_slurm_python_worker")


PYTHONS = {
    "old": 'if [ "$1" = --version ]; then echo Python 2.7.18 >&2; else echo "Unknown option" >&2; exit 2; fi',
    "not whole": (
        'exec /usr/bin/python3 -c \'import sys; sys.modules["selectors"] = None; exec(sys.argv[3])\' "$@"'
    ),
    "none": "echo no snake",
}


@pytest.mark.parametrize(
    ("kind", "words"), [("old", "is Python 2.7.18"), ("not whole", "selectors"), ("none", "does not run")]
)
async def test_a_python_that_will_not_do(
    lab: Lab, opener: Callable[..., Cluster], kind: str, words: str
) -> None:
    script = lab.spec.here / "python"
    script.write_text(f"#!/bin/sh\n{PYTHONS[kind]}\n")
    script.chmod(0o755)
    finding = await fault(opener(jobs_slurm_python_worker=f"{lab.spec.base}/python"), "python")
    assert words in finding.detail
    script.unlink()


# Of the user whom sudo acts for


async def test_a_home_that_its_user_cannot_write_to(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    home = Path(lab.spec.home_of(lab.spec.user))
    with kept(home):
        os.chmod(home, 0o555)
        finding = await fault(through_sudo(), "jobs folder")
        assert (finding.of, finding.field) == ("profile", "username")
        assert repr(lab.spec.user) in finding.detail
        assert str(home) in finding.fix
        os.chown(home, 0, 0)
        os.chmod(home, 0o700)
        await fault(through_sudo(), "jobs folder")


async def test_a_file_in_place_of_the_jobs_folder(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    file = Path(lab.spec.home_of(lab.spec.user)) / "runyard"
    file.write_text("in the way")
    try:
        assert "is a file" in (await fault(through_sudo(), "jobs folder")).detail
    finally:
        file.unlink()


async def test_a_full_disk_through_sudo(lab: Lab, through_sudo: Callable[..., Cluster]) -> None:
    disk = Path(lab.small_disk("sudo-disk", 1))
    link = Path(lab.spec.home_of(lab.spec.user)) / "runyard"
    link.symlink_to(disk)
    try:
        finding = await fault(through_sudo(), "jobs folder space")
        assert "tmpfs" in finding.detail
    finally:
        link.unlink()


# What faults are made of


@pytest.fixture
def read_only(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """A folder of this machine that not even root can write to."""
    path = tmp_path / "read-only"
    path.mkdir()
    ground = Ground(lab.spec)
    ground.must("mount", "-t", "tmpfs", "-o", "ro", "lab", str(path))
    yield path
    ground.must("umount", str(path))


@contextmanager
def kept(path: Path) -> Iterator[None]:
    """Mode and owner of *path* are as before, afterwards."""
    before = path.stat()
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        path.chmod(before.st_mode)
