"""Check of folders and Pythons, over both ways: each fault by the one finding that names it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runners.config.slurm import SlurmRunnerConfig
from tests.lab.ground import Ground
from tests.lab.lab import Lab
from tests.lab.runyard_home import resource
from tests.slurm.clusters import Cluster
from tests.slurm.findings import OK, WARNING, fault, found, pasted

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


def with_shebangs(lab: Lab, default: str, gpu: str | None = None) -> SlurmRunnerConfig:
    """The configuration of the lab's resources, with these first lines of scripts."""
    config: Any = resource(lab.spec, "slurm_sudo")["jobs_runner_config"]
    config["default_slurm_config"]["shebang_line"] = default
    if gpu is not None:
        config["gpu_slurm_config"]["shebang_line"] = gpu
    return SlurmRunnerConfig.model_validate(config)


@pytest.mark.parametrize(
    ("default", "gpu", "check", "says"),
    [
        ("#!/no/such/zsh", None, "shebang", "no /no/such/zsh on "),
        ("#! /no/such/bash -l", "#!/bin/sh", "shebang", "no /no/such/bash on "),
        ("#!/bin/sh", "#!/no/such/ksh", "shebang, GPU set", "no /no/such/ksh on "),
        ("#!/etc/passwd/sh", None, "shebang", "no /etc/passwd/sh on "),
    ],
)
async def test_a_shell_that_is_not_there(
    lab: Lab, opener: Callable[..., Cluster], default: str, gpu: str | None, check: str, says: str
) -> None:
    config = with_shebangs(lab, default, gpu)
    finding = await fault(opener(jobs_runner_config=config), check, WARNING)
    assert says in finding.detail
    which = "gpu" if gpu and "GPU" in check else "default"
    assert (finding.of, finding.field) == (
        *("resource", f"jobs_runner_config.{which}_slurm_config.shebang_line"),
    )
    assert pasted(finding) == f"runyard resource set NAME '{finding.field}=#!/bin/sh'"


async def test_what_is_no_program_runs_no_scripts(lab: Lab, opener: Callable[..., Cluster]) -> None:
    home = lab.spec.home_of(lab.spec.user)
    lab.here(f"{home}/folder/sh").mkdir(parents=True, exist_ok=True)
    lab.here(f"{home}/sh").touch(0o644)
    for path, what in ((f"{home}/folder/sh", "is a folder"), (f"{home}/sh", "is no program that can be run")):
        config = with_shebangs(lab, f"#!{path}")
        assert what in (await fault(opener(jobs_runner_config=config), "shebang", WARNING)).detail


async def test_shells_that_are_there(lab: Lab, opener: Callable[..., Cluster]) -> None:
    config = with_shebangs(lab, "#!/bin/bash -l", "#!/usr/bin/env -S bash -l")
    findings = await found(opener(jobs_runner_config=config))
    assert [one for one in findings if one.state is not OK] == []
    assert [one.check for one in findings][-2:] == ["shebang", "shebang, GPU set"]
