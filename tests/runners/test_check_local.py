"""Check of this machine: real folders, disks and Pythons. It makes and changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from runners.checking.folders import far_folder_findings, own_folder_findings, space_here
from runners.checking.places import Ground, Place, Space, folder_finding, space_finding
from runners.checking.python import python_findings
from runners.config.files import read_resource
from runners.config.home import Home
from runners.config.resource import LocalResource
from runners.findings import Finding, FindingState
from runners.local import LocalRunner
from runners.plan import CROWDED
from runners.sample import Sample
from runners.transport.base import Reply
from runners.transport.local import LocalTransport
from tests.runners.worker_lab import INTERPRETERS

OK, WARNING, FAILURE, UNTOLD = FindingState


def place(path: str | Path) -> Place:
    return Place("jobs folder", str(path), "you", "this machine", "resource", "jobs_local_dir")


async def all_of(findings: AsyncIterator[Finding]) -> list[Finding]:
    return [finding async for finding in findings]


def states(findings: Sequence[Finding]) -> list[tuple[str, FindingState]]:
    return [(finding.check, finding.state) for finding in findings]


async def run(argv: Sequence[str]) -> Reply:
    return await LocalTransport().run(argv, timeout_s=30)


@pytest.fixture
def resource(home: Home) -> LocalResource:
    found = read_resource(home.resources, "local").value
    assert isinstance(found, LocalResource)
    return found


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 GB with room for 100 files; in memory, which takes only as much as is written."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2g,nr_inodes=100", "disk", str(path)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs root, and mounts")
    yield path
    subprocess.run(["umount", str(path)], check=True)


async def test_nothing_is_wrong_and_nothing_is_made(resource: LocalResource, home: Home) -> None:
    home.jobs.rmdir()
    findings = await all_of(LocalRunner(resource).check(Sample()))
    in_memory = space_here("/tmp").kind == "tmpfs"
    assert states(findings) == [
        ("new runs", OK),
        ("jobs folder", OK),
        ("jobs folder space", WARNING if in_memory else OK),
        ("python", OK),
        ("cores", OK),
    ]
    assert not home.jobs.exists()
    assert sys.executable in findings[3].detail


async def test_a_file_where_the_jobs_folder_should_be(resource: LocalResource, home: Home) -> None:
    home.jobs.rmdir()
    home.jobs.write_text("in the way")
    _, jobs, *others = await all_of(LocalRunner(resource).check(Sample()))
    assert (jobs.check, jobs.state, jobs.of, jobs.field) == (
        *("jobs folder", FAILURE),
        *("resource", "jobs_local_dir"),
    )
    assert {finding.state for finding in others} == {OK}
    assert home.jobs.read_text() == "in the way"


async def test_a_machine_that_takes_no_new_runs(resource: LocalResource) -> None:
    paused = resource.model_copy(update={"prevent_new_submissions": True})
    findings = await all_of(LocalRunner(paused).check(Sample()))
    (bad,) = (one for one in findings if one.state is FAILURE)
    assert (bad.check, bad.of, bad.field) == ("new runs", "resource", "prevent_new_submissions")
    assert bad.fix.endswith(": runyard resource set NAME prevent_new_submissions=false")


async def test_more_tasks_than_cores_can_bear(resource: LocalResource) -> None:
    cores = len(os.sched_getaffinity(0))

    async def cores_with(tasks: int) -> Finding:
        config = resource.jobs_runner_config.model_copy(update={"parallel_tasks_per_job": tasks})
        crowded = resource.model_copy(update={"jobs_runner_config": config})
        return (await all_of(LocalRunner(crowded).check(Sample())))[-1]

    assert (await cores_with(CROWDED * cores)).state is OK
    finding = await cores_with(CROWDED * cores + 1)
    assert (finding.state, finding.field) == (WARNING, "jobs_runner_config.parallel_tasks_per_job")


@pytest.mark.parametrize("far", [False, True], ids=["here", "as over there"])
async def test_disks_that_are_full_or_in_memory(disk: Path, far: bool) -> None:
    async def space(path: Path) -> Finding:
        looked = (
            far_folder_findings(LocalTransport(), place(path)) if far else own_folder_findings(place(path))
        )
        folder, found = await all_of(looked)
        assert (folder.check, folder.state) == ("jobs folder", OK)
        assert found.check == "jobs folder space"
        return found

    for path in (disk, disk / "not" / "there yet"):
        assert "memory of this machine" in (await space(path)).detail
    with (disk / "large").open("wb") as large:
        os.posix_fallocate(large.fileno(), 0, 1_200_000_000)
    found = await space(disk)
    assert found.state is WARNING
    assert "Only 9" in found.detail
    (disk / "large").unlink()
    for number in range(99):
        if os.statvfs(disk).f_favail > 2:
            (disk / str(number)).touch()
    found = await space(disk)
    assert found.state is WARNING
    assert "Only 2 more files fit" in found.detail


@pytest.mark.parametrize("far", [False, True], ids=["here", "as over there"])
async def test_folders_that_are_there_and_are_not(tmp_path: Path, far: bool) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    odd = "a b'\"$(touch x)\\[red]\x1bé"

    async def state(path: str) -> tuple[FindingState, str]:
        looked = (
            far_folder_findings(LocalTransport(), place(path)) if far else own_folder_findings(place(path))
        )
        folder = (await all_of(looked))[0]
        assert (folder.detail + folder.fix + folder.evidence).isprintable()
        return folder.state, folder.detail

    assert (await state(str(tmp_path)))[0] is OK
    assert (await state(f"{tmp_path}/a/b/c"))[0] is OK
    assert (await state(f"{tmp_path}/link/a/"))[0] is OK
    assert (await state(f"{tmp_path}/{odd}/{odd}"))[0] is OK
    found, detail = await state(f"{tmp_path}/file/a")
    assert (found, "is a file" in detail) == (FAILURE, True)
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


@pytest.mark.parametrize("far", [False, True], ids=["here", "as over there"])
@pytest.mark.parametrize("path", ["/proc/y", "/sys/y/z", "/proc"])
async def test_no_folder_is_made_where_the_kernel_shows_what_it_knows(path: str, far: bool) -> None:
    looked = far_folder_findings(LocalTransport(), place(path)) if far else own_folder_findings(place(path))
    (found,) = await all_of(looked)
    assert (found.check, found.state) == ("jobs folder", FAILURE)
    kind = "proc" if path.startswith("/proc") else "sysfs"
    assert found.detail.startswith(f"{path} ")
    assert f"({kind}), which has no room for files" in found.detail
    assert found.fix == "Name a folder on another disk."


@pytest.fixture
def without_rights() -> Iterator[None]:
    """We are nobody, meanwhile."""
    if os.geteuid():
        pytest.skip("needs root")
    os.seteuid(65534)
    yield
    os.seteuid(0)


async def test_folders_that_are_closed_to_us(without_rights: None) -> None:
    for path in ("/root/runs", "/etc/runs", "/etc/ssl/private/runs"):
        folder = (await all_of(own_folder_findings(place(path))))[0]
        assert (folder.check, folder.state) == ("jobs folder", FAILURE)
        assert "can't" in folder.detail
    folder = (await all_of(own_folder_findings(place("/tmp/no/such/runs"))))[0]
    assert folder.state is OK


def test_what_is_said_of_space() -> None:
    def state(**figures: float | str) -> FindingState:
        whole = {"free_mb": 5000.0, "size_mb": 9000.0, "kind": "ext4"} | figures
        return space_finding(place("/jobs"), Space(**whole)).state  # type: ignore[arg-type]

    assert state() is OK
    assert state(free_mb=49.9) is FAILURE
    assert state(free_mb=50.0) is WARNING
    assert state(free_mb=1000.0) is OK
    assert state(files=100, files_left=2) is WARNING
    assert state(files=100, files_left=4) is OK
    assert state(files=0, files_left=0) is OK
    assert state(kind="tmpfs") is WARNING
    # What says nothing of its room is not full.
    assert state(free_mb=0.0, size_mb=0.0, kind="autofs") is UNTOLD
    assert space_finding(place("/jobs"), None, "why").state is UNTOLD
    assert folder_finding(place("/jobs"), Ground("/jobs", True, None, "Why.")).state is UNTOLD


# Pythons


@pytest.mark.parametrize("python", INTERPRETERS.values(), ids=INTERPRETERS.keys())
async def test_every_python_that_the_worker_runs_on_is_good_enough(python: str) -> None:
    (finding,) = await all_of(python_findings(run, python, "this machine", nodes=True))
    assert finding.state is OK
    version = next(version for version, path in INTERPRETERS.items() if path == python)
    assert f"is Python {version}." in finding.detail


async def test_a_python_of_the_last_age() -> None:
    old = Path("/root/.pyenv/versions/2.7.18/bin/python")
    if not os.access(old, os.X_OK):
        pytest.skip("no Python 2 on this machine")
    (finding,) = await all_of(python_findings(run, str(old), "this machine", nodes=True))
    assert finding.state is FAILURE
    assert "is Python 2.7.18; the worker needs 3.6 or later" in finding.detail


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("/no/such/python", WARNING),
        ("/bin/true", FAILURE),
        # It may be that only we can't start it.
        ("/etc/passwd", WARNING),
        ("/etc", WARNING),
    ],
)
async def test_what_is_no_python(path: str, state: FindingState) -> None:
    (finding,) = await all_of(python_findings(run, path, "this machine", nodes=True))
    assert (finding.check, finding.state) == ("python", state)
    assert path in finding.detail
    assert finding.field == "jobs_slurm_python_worker"
