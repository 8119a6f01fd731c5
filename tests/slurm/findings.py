"""What Check finds of a lab, and the one finding of it that is amiss."""

from __future__ import annotations

from runners.checking.folders import space_here
from runners.findings import REST, Finding, FindingState, is_sound
from runners.sample import Sample
from tests.slurm.clusters import Cluster

OK, WARNING, FAILURE, UNTOLD = FindingState

IN_MEMORY = space_here("/tmp").kind == "tmpfs"
"""Labs are below /tmp, and where that is no disk, Check is right to say so."""


async def found(cluster: Cluster) -> list[Finding]:
    """All findings, but for the warnings that a lab in memory deserves."""
    findings = [finding async for finding in cluster.runner.check(Sample())]
    return [
        finding
        for finding in findings
        if not (IN_MEMORY and finding.check.endswith("space") and "memory" in finding.detail)
    ]


async def fault(cluster: Cluster, check: str, state: FindingState = FAILURE) -> Finding:
    """The one finding that is not OK, which is of *check*."""
    findings = await found(cluster)
    faults = [finding for finding in findings if finding.state is not OK and finding.check != REST]
    assert [(finding.check, finding.state) for finding in faults] == [(check, state)], faults
    assert all(finding.check != REST for finding in findings[:-1])
    assert faults[0].fix
    assert is_sound(findings) is (state is not FAILURE)
    return faults[0]


def rest(findings: list[Finding]) -> str:
    """What is said of the rest."""
    assert findings[-1].check == REST
    assert findings[-1].state is UNTOLD
    return findings[-1].detail


def pasted(finding: Finding) -> str:
    """What its remedy has one paste."""
    return finding.fix.partition(": ")[2]
