"""Check as a whole: what it looks at, in which order, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from runners.findings import REST
from runners.sample import Sample
from tests.lab.accounts import ALLOWED
from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster
from tests.slurm.findings import OK, UNTOLD, fault, found, pasted, rest
from tests.slurm.runners import ssh_cluster

pytestmark = pytest.mark.usefixtures("no_jobs_folder")

LOCAL = ["new runs", "local folder", "local folder space"]
WAY_OF_SUDO = ["user", "sudo", *(f"sudo {name}" for name in ALLOWED), "SLURM_CONF"]
WAY_OF_SSH = [
    "key file",
    "host name",
    "port",
    "host key",
    "login",
    "round trip",
    "channels",
    "clock",
    "noise",
]
PLACES = ["jobs folder", "jobs folder space", "python", "shebang"]


async def test_nothing_is_wrong(lab: Lab, cluster: Cluster) -> None:
    findings = await found(cluster)
    assert [finding for finding in findings if finding.state is not OK] == []
    checks = [finding.check for finding in findings]
    way = WAY_OF_SUDO if cluster.runner.place.startswith("sudo:") else WAY_OF_SSH
    before, after = [*LOCAL, *way], PLACES
    assert checks[: len(before)] == before
    assert checks[-len(after) :] == after
    assert not cluster.here(cluster.runner.jobs_folder).exists()
    assert all(finding.detail.endswith(".") for finding in findings)


async def test_two_faults_are_two_findings(over_ssh: Callable[..., Cluster]) -> None:
    cluster = over_ssh(
        profile_changes={"jobs_remote_dir": "/root/runs"}, jobs_slurm_python_worker="/no/such/python3"
    )
    faults = [finding.check for finding in await found(cluster) if finding.state is not OK]
    assert faults == ["jobs folder", "python"]


async def test_a_cluster_that_takes_no_new_runs(opener: Callable[..., Cluster]) -> None:
    finding = await fault(opener(prevent_new_submissions=True), "new runs")
    assert (finding.of, finding.field) == ("resource", "prevent_new_submissions")
    assert pasted(finding) == "runyard resource set NAME prevent_new_submissions=false"


async def test_who_stops_looking_ends_the_check(opener: Callable[..., Cluster]) -> None:
    cluster = opener()
    before = asyncio.all_tasks()
    findings = cluster.runner.check(Sample())
    assert (await anext(findings)).check == "new runs"
    await findings.aclose()  # type: ignore[attr-defined]
    assert asyncio.all_tasks() == before


async def test_the_rest_of_slurm_is_told_after_it_took_too_long(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controller is silent for longer than Check waits."""
    monkeypatch.setattr("runners.check._SLURM_S", 1.0)
    cluster = ssh_cluster(lab)
    lab.pause_controller()
    try:
        findings = await found(cluster)
    finally:
        lab.resume_controller()
        await cluster.runner.close()
    late = [one for one in findings if one.state is UNTOLD and one.check != REST]
    assert [one.check for one in late] == ["sbatch"]
    told = rest(findings)
    assert told.startswith("Squeue, scancel, controller, accounting, queue, partition, ")
    assert told.endswith(" batching and trial were not looked at, because sbatch could not be told.")
