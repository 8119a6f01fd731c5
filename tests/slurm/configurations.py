"""Configurations with a fault, which is made in earnest on a lab, and the one finding that has to name it."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runners.checking.slurm.check import check_slurm
from runners.config.resource import SlurmSSHResource, SlurmSudoResource
from runners.config.slurm import SlurmRunnerConfig
from runners.findings import REST, Finding, FindingState
from runners.sample import Sample, sample_script
from tests.lab.lab import Lab
from tests.lab.runyard_home import resource
from tests.slurm.clusters import Cluster

WARNING, FAILURE, UNTOLD = FindingState.WARNING, FindingState.FAILURE, FindingState.UNTOLD

Breaker = Callable[[Lab], object]

LARGE = {"target_mem_per_job": "30G", "max_mem_per_job": "30G"}
"""A batching that may give a job more memory than any node has."""


def nothing(lab: Lab) -> None:
    """The cluster is as it should be."""


class Changes(Protocol):
    """What a configuration has otherwise than that of the lab's resources."""

    @property
    def default(self) -> Mapping[str, Any]:
        """Changes to the default set; so with the others."""

    @property
    def gpu(self) -> Mapping[str, Any]: ...

    @property
    def batching(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault, and the finding that it must bring."""

    name: str
    check: str
    state: FindingState = FAILURE
    says: str = ""
    """What stands in the detail."""
    fix: str = ""
    """What stands in the fix."""
    field: str = ""
    """The path of the field at fault, below `jobs_runner_config`; empty: no field is."""
    default: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Changes to the default set; so with the others."""
    gpu: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    batching: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    breaks: Breaker = nothing
    """What is done to the cluster."""
    refused: bool = False
    """It is only told where the scheduler's trial refuses, which newer releases than 23.11 do not."""


def changed(lab: Lab, changes: Changes) -> SlurmRunnerConfig:
    """The configuration of the lab's resources, with these changes."""
    config: Any = resource(lab.spec, "slurm_sudo")["jobs_runner_config"]
    config["default_slurm_config"] |= changes.default
    config["gpu_slurm_config"] |= changes.gpu
    config["batching_config"] |= changes.batching
    return SlurmRunnerConfig.model_validate(config)


async def findings(
    cluster: Cluster, config: SlurmRunnerConfig, sample: Sample | None = None
) -> list[Finding]:
    """All that the check of SLURM brings."""
    runner, lab = cluster.runner, cluster.lab
    kind = "slurm_ssh" if "ssh" in runner.place else "slurm_sudo"
    model = SlurmSSHResource if kind == "slurm_ssh" else SlurmSudoResource
    whole = model.model_validate(resource(lab.spec, kind)).model_copy(update={"jobs_runner_config": config})
    sample = sample or Sample()

    def script(gpu: bool) -> bytes:
        # Large ones take seconds, in which an engine has other things to do.
        assert threading.current_thread() is not threading.main_thread()
        given = Sample(sample.tasks, sample.cpus, sample.mem_mb, needs_gpu=gpu)
        return sample_script(whole, given, jobs_folder=runner.jobs_folder)

    as_user = kind == "slurm_ssh"
    found = check_slurm(
        cluster.transport, config, user=lab.spec.user, as_user=as_user, sample=sample, script=script
    )
    return [finding async for finding in found]


def not_ok(found: list[Finding]) -> list[Finding]:
    """Those that say that something is amiss."""
    return [one for one in found if one.state is not FindingState.OK and one.check != REST]


def assert_reasons(found: list[Finding]) -> None:
    """What is said of the rest names findings that there are, as they are."""
    words = {FAILURE: "has failed", WARNING: "has brought a warning", UNTOLD: "could not be told"}
    known = {f"{one.check} {words[one.state]}" for one in not_ok(found)}
    for rest in (one for one in found if one.check == REST):
        reasons = re.findall(r" not looked at, because (.*?)\.(?: |$)", rest.detail)
        assert len(reasons) == rest.detail.count("because") > 0
        assert set(reasons) <= known, rest.detail


def assert_names(found: list[Finding], wrong: Wrong) -> None:
    assert_reasons(found)
    bad = not_ok(found)
    told = "\n".join(f"{one.state} {one.check}: {one.detail} {one.fix}" for one in bad)
    assert [(one.check, one.state) for one in bad] == [(wrong.check, wrong.state)], told
    (one,) = bad
    assert wrong.says in one.detail
    assert wrong.fix in one.fix
    assert one.field == (f"jobs_runner_config.{wrong.field}" if wrong.field else "")
    assert bool(one.of) == bool(one.field)
    assert one.fix
    assert one.detail.endswith(".") or ": " in one.detail


async def assert_caught(cluster: Cluster, wrong: Wrong) -> None:
    """Make the fault in earnest; the check has to name it, and nothing else."""
    wrong.breaks(cluster.lab)
    assert_names(await findings(cluster, changed(cluster.lab, wrong)), wrong)


# What is done to clusters


def down(*nodes: str) -> Breaker:
    def breaks(lab: Lab) -> None:
        for node in nodes:
            lab.node_down(node)

    return breaks


def drained(*nodes: str) -> Breaker:
    def breaks(lab: Lab) -> None:
        for node in nodes:
            lab.node_drain(node)

    return breaks


def state(name: str, word: str) -> Breaker:
    return lambda lab: lab.partition(name, word)


def option(name: str, **options: str) -> Breaker:
    return lambda lab: lab.policy.partition(name, **options)
