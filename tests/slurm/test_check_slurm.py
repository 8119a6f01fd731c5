"""What SLURM tells of a configuration: each fault, made in earnest, and the one finding that names it."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runners.checking.slurm.check import check_slurm, checks_of
from runners.config.resource import SlurmSSHResource, SlurmSudoResource
from runners.config.slurm import SlurmRunnerConfig
from runners.findings import REST, Finding, FindingState
from runners.sample import Sample, sample_script
from tests.lab.lab import Lab
from tests.lab.runyard_home import resource
from tests.slurm.clusters import Cluster
from tests.slurm.runners import sudo_cluster

WARNING, FAILURE, UNTOLD = FindingState.WARNING, FindingState.FAILURE, FindingState.UNTOLD

Breaker = Callable[[Lab], object]


def nothing(lab: Lab) -> None:
    """The cluster is as it should be."""


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


def changed(lab: Lab, wrong: Wrong) -> SlurmRunnerConfig:
    """The configuration of the lab's resources, with these changes."""
    config: Any = resource(lab.spec, "slurm_sudo")["jobs_runner_config"]
    config["default_slurm_config"] |= wrong.default
    config["gpu_slurm_config"] |= wrong.gpu
    config["batching_config"] |= wrong.batching
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


# A right configuration


async def test_all_is_well(cluster: Cluster) -> None:
    config = changed(cluster.lab, Wrong("", ""))
    found = await findings(cluster, config)
    assert [one.check for one in found] == list(checks_of(config))
    assert not_ok(found) == []
    trial = next(one for one in found if one.check == "trial")
    assert "with 8 CPUs on c" in trial.detail
    assert len(cluster.transport.exchanges) == 3


async def test_all_is_well_with_accounting(accounting_cluster: Cluster) -> None:
    config = changed(accounting_cluster.lab, Wrong("", ""))
    found = await findings(accounting_cluster, config)
    assert [one.check for one in found] == list(checks_of(config))
    assert not_ok(found) == []
    assert next(one for one in found if one.check == "account").detail.startswith("Jobs are charged to lab")
    assert len(accounting_cluster.transport.exchanges) == 4


def down(*nodes: str) -> Breaker:
    def breaks(lab: Lab) -> None:
        for node in nodes:
            lab.node_down(node)

    return breaks


RIGHT = [
    Wrong("nodes below zero", "", default={"nodes": -1}, gpu={"nodes": 1}),
    Wrong("short time", "", default={"time": "90m"}, gpu={"time": "0:30:00"}),
    Wrong("some nodes down", "", breaks=down("c2", "c3")),
    Wrong("two partitions", "", default={"partition": "main,urgent"}),
    Wrong("features", "", default={"constraint": "[intel*1]|intel"}, gpu={"constraint": None}),
    Wrong(
        "node", "", default={"nodelist": "c2", "exclude": "c[3-4]"}, gpu={"nodelist": None, "exclude": None}
    ),
    Wrong("two nodes", "", default={"nodes": 2}, gpu={"nodes": 1}, batching={"max_cpus_per_job": 16}),
    Wrong("per CPU", "", default={"use_mem_per_cpu": True}, batching={"max_mem_per_job": "64G"}),
    Wrong("per CPU, few at a time", "", default={"use_mem_per_cpu": True, "mem": "4G"}),
    Wrong(
        "per CPU in a line",
        "",
        default={"extra_lines": ["#SBATCH --mem-per-cpu=4G"], "use_mem_per_cpu": True},
        gpu={"extra_lines": []},
    ),
    Wrong("gpus", "", gpu={"gres": None, "gpus": "v100:2"}),
    Wrong("gpus of each node", "", gpu={"gres": None, "extra_lines": ["#SBATCH --gpus-per-node=v100:2"]}),
    Wrong("gpus without type", "", gpu={"gres": "gpu:2"}),
    Wrong("no GPU set's own", "", gpu={"mem": None}),
    Wrong(
        "own lines",
        "",
        default={"extra_lines": ["#SBATCH -p main --mem=200", "module() { :; }"]},
        gpu={"extra_lines": []},
    ),
    Wrong(
        "own line of the GPU set", "", gpu={"partition": "main", "extra_lines": ["#SBATCH --partition gpu"]}
    ),
    Wrong("large tasks", "", default={"cpus_per_task": 8, "mem": "8G"}),
    Wrong("several nodes at least", "", breaks=lambda lab: lab.policy.partition("main", minnodes="2")),
    Wrong(
        "over before a reservation",
        "",
        default={"time": "1"},
        breaks=lambda lab: lab.policy.reservation("theirs", lab.spec.other_user, "c[1-4]"),
    ),
    Wrong(
        "some reserved for others",
        "",
        breaks=lambda lab: lab.policy.reservation("theirs", lab.spec.other_user, "c[1-3]"),
    ),
]


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
async def test_no_false_alarm(cluster: Cluster, right: Wrong) -> None:
    right.breaks(cluster.lab)
    assert not_ok(await findings(cluster, changed(cluster.lab, right))) == []


# Wrong configurations


def drained(*nodes: str) -> Breaker:
    def breaks(lab: Lab) -> None:
        for node in nodes:
            lab.node_drain(node)

    return breaks


def state(name: str, word: str) -> Breaker:
    return lambda lab: lab.partition(name, word)


def option(name: str, **options: str) -> Breaker:
    return lambda lab: lab.policy.partition(name, **options)


LARGE = {"target_mem_per_job": "30G", "max_mem_per_job": "30G"}
MAIN = {"partition": "main"}

OWN_LINES = [
    ("--partition=nix", "partition", "partition", " to one of: gpu, main"),
    ("-p nix", "partition", "partition", " to one of: "),
    ("--mem=20G", "memory", "mem", " to 16000M or less"),
    ("-c 9", "cpus", "cpus-per-task", " to 8 or less"),
    ("--gres=gpu:1", "gres", "gres", ", or set partition to one with such nodes: gpu"),
    ("--constraint=intle", "features", "constraint", " to features such as intel"),
    ("-w c9", "nodes", "nodelist", " to nodes of main: c[1-4]"),
    ("-x c9", "nodes", "exclude", " to nodes of main: c[1-4]"),
    ("-N9", "nodes", "nodes", " to 4 or less"),
    ("--time=soon", "time limit", "time", " to minutes, h:mm:ss"),
]
"""Lines of people's own, the check that each fails, the option, and what it is to be set to."""

WRONG = [
    Wrong(
        "partition",
        "partition",
        says="no partition mian",
        fix="main, gpu",
        field="default_slurm_config.partition",
        default={"partition": "mian"},
    ),
    Wrong(
        "partition of the GPU set",
        "partition, GPU set",
        says="no partition gpus",
        fix="gpu",
        field="gpu_slurm_config.partition",
        gpu={"partition": "gpus"},
    ),
    Wrong(
        "partition down",
        "partition state",
        WARNING,
        "DOWN",
        "state=up",
        breaks=state("main", "down"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "partition drain",
        "partition state",
        says="no new jobs",
        breaks=state("main", "drain"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "partition inactive",
        "partition state",
        says="INACTIVE",
        breaks=state("main", "inactive"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "partition of GPUs down",
        "partition state, GPU set",
        WARNING,
        breaks=state("gpu", "down"),
        field="gpu_slurm_config.partition",
    ),
    Wrong(
        "memory",
        "memory",
        says="16,000 MB",
        fix="16000M or less",
        field="default_slurm_config.mem",
        default={"mem": "20G"},
        gpu={"mem": "100M"},
        batching=LARGE,
    ),
    Wrong(
        "memory of both",
        "memory",
        default={"mem": "20G"},
        batching=LARGE,
        field="default_slurm_config.mem",
    ),
    Wrong(
        "memory of a job",
        "batching",
        WARNING,
        "64,000 MB",
        "max_mem_per_job to 16000M",
        "batching_config.max_mem_per_job",
        batching={"max_mem_per_job": "64G"},
    ),
    Wrong(
        "memory of the sample's job",
        "batching",
        FAILURE,
        field="batching_config.target_mem_per_job",
        default={"mem": "5G"},
        batching={"target_mem_per_job": "32G", "max_mem_per_job": "64G", "target_num_jobs": 25},
    ),
    Wrong(
        "CPUs of a job",
        "batching",
        WARNING,
        field="batching_config.max_cpus_per_job",
        batching={"max_cpus_per_job": 16},
    ),
    Wrong(
        "CPUs of the sample's job",
        "batching",
        FAILURE,
        field="batching_config.max_cpus_per_job",
        default={"nodes": 1},
        batching={"max_cpus_per_job": 16, "max_num_jobs": 10},
    ),
    Wrong(
        "CPUs",
        "cpus",
        fix="8 or less",
        field="default_slurm_config.cpus_per_task",
        default={"cpus_per_task": 9},
        gpu={"cpus_per_task": 1},
        batching={"target_cpus_per_job": 9, "max_cpus_per_job": 9},
    ),
    Wrong(
        "gres", "gres, GPU set", fix="gpu:v100:1", field="gpu_slurm_config.gres", gpu={"gres": "gpuu:v100:1"}
    ),
    Wrong(
        "type of gres",
        "gres, GPU set",
        says="v10,",
        fix="gpu:v100:1",
        gpu={"gres": "gpu:v10:1"},
        field="gpu_slurm_config.gres",
    ),
    Wrong(
        "count of gres",
        "gres, GPU set",
        says="2 gpu v100",
        fix="2 or fewer",
        gpu={"gres": "gpu:v100:3"},
        field="gpu_slurm_config.gres",
    ),
    Wrong("count of GPUs", "gres, GPU set", field="gpu_slurm_config.gpus", gpu={"gres": None, "gpus": "3"}),
    Wrong(
        "type of GPUs",
        "gres, GPU set",
        fix="v100:1",
        gpu={"gres": None, "gpus": "a100:1"},
        field="gpu_slurm_config.gpus",
    ),
    Wrong(
        "gres without GPUs",
        "gres, GPU set",
        fix="gpu",
        field="gpu_slurm_config.gres",
        gpu={"partition": "main"},
    ),
    Wrong("gres for all", "gres", field="default_slurm_config.gres", default={"gres": "gpu:1"}),
    Wrong(
        "feature",
        "features",
        says="intle",
        fix="intel",
        field="default_slurm_config.constraint",
        default={"constraint": "intle"},
        gpu={"constraint": None},
    ),
    Wrong(
        "feature elsewhere",
        "features, GPU set",
        field="gpu_slurm_config.constraint",
        gpu={"constraint": "intel"},
    ),
    Wrong(
        "unknown node",
        "nodes",
        says="no node c9",
        field="default_slurm_config.nodelist",
        default={"nodelist": "c[1,9]"},
        gpu={"nodelist": None},
    ),
    Wrong(
        "node elsewhere",
        "nodes",
        says="in gpu",
        default={"nodelist": "g1"},
        field="default_slurm_config.nodelist",
    ),
    Wrong(
        "unknown node left out",
        "nodes",
        field="default_slurm_config.exclude",
        default={"exclude": "c9"},
        gpu={"exclude": None},
    ),
    Wrong(
        "number of nodes",
        "nodes",
        says="9 nodes",
        fix="4 or less",
        field="default_slurm_config.nodes",
        default={"nodes": 9},
        gpu={"nodes": 1},
    ),
    Wrong(
        "most nodes",
        "nodes",
        says="1 at most",
        default={"nodes": 2},
        gpu={"nodes": 1},
        breaks=option("main", maxnodes="1"),
        field="default_slurm_config.nodes",
    ),
    Wrong(
        "no nodes",
        "nodes",
        default={"nodes": 0},
        gpu={"nodes": 1},
        field="default_slurm_config.nodes",
    ),
    Wrong(
        "time",
        "time limit, GPU set",
        says="1:00:00",
        fix="1:00:00 or less",
        field="gpu_slurm_config.time",
        gpu={"time": "2:00:00"},
    ),
    Wrong(
        "time without end",
        "time limit, GPU set",
        gpu={"time": "UNLIMITED"},
        field="gpu_slurm_config.time",
    ),
    Wrong(
        "no time",
        "time limit",
        says="soon",
        field="default_slurm_config.time",
        default={"time": "soon"},
        gpu={"time": "10"},
    ),
    Wrong(
        "groups",
        "partition access",
        says="groups root",
        fix="allowgroups=root,",
        breaks=option("main", allowgroups="root"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "root only",
        "partition access",
        says="root only",
        breaks=option("main", rootonly="yes"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "machines",
        "partition access",
        says="the machines c1",
        fix="allocnodes=ALL",
        breaks=option("main", allocnodes="c1"),
        field="default_slurm_config.partition",
    ),
    Wrong("all nodes down", "nodes", WARNING, "4 down", "state=resume", breaks=down("c1", "c2", "c3", "c4")),
    Wrong("all nodes drained", "nodes, GPU set", WARNING, "1 drained", breaks=drained("g1")),
    Wrong(
        "named node down",
        "nodes",
        WARNING,
        "c2 (down)",
        "list-reasons",
        "default_slurm_config.nodelist",
        default={"nodelist": "c[2-3]", "nodes": 2},
        gpu={"nodelist": None, "nodes": None},
        breaks=down("c2"),
    ),
    Wrong(
        "the only fitting node is down",
        "trial",
        WARNING,
        "3 take none",
        default={"exclude": "c1"},
        gpu={"exclude": None},
        breaks=down("c2", "c3", "c4"),
    ),
    Wrong(
        "own line",
        "trial",
        says="reservation",
        default={"extra_lines": ["#SBATCH --reservation=none"]},
        gpu={"extra_lines": []},
        field="default_slurm_config.extra_lines",
    ),
    *(
        Wrong(
            f"own line's {line}",
            check,
            fix=f"--{option} in the line “#SBATCH {line}” of extra_lines{to}",
            field="default_slurm_config.extra_lines",
            default={"extra_lines": [f"#SBATCH {line}"]},
            gpu={"extra_lines": []},
        )
        for line, check, option, to in OWN_LINES
    ),
    Wrong(
        "own line's partition down",
        "partition state",
        WARNING,
        fix="(--partition in the line “#SBATCH -p urgent” of extra_lines), or have ",
        field="default_slurm_config.extra_lines",
        default={"extra_lines": ["#SBATCH -p urgent"]},
        gpu={"extra_lines": []},
        breaks=state("urgent", "down"),
    ),
    Wrong(
        "gres that can't be read",
        "gres, GPU set",
        says="gppu:1: is not of the form name[:type]:count, such as gpu:v100:1, and SLURM can't read it",
        fix="Set gres to that form",
        field="gpu_slurm_config.gres",
        gpu={"gres": "gppu:1:"},
    ),
    Wrong(
        "GPUs that can't be read",
        "gres, GPU set",
        says="[type:]count, such as v100:1",
        field="gpu_slurm_config.gpus",
        gpu={"gres": None, "gpus": "v100:"},
    ),
    Wrong(
        "GPUs twice",
        "trial, GPU set",
        says="Invalid GRES specification",
        field="gpu_slurm_config.gres",
        gpu={"extra_lines": ["#SBATCH --gpus-per-node=1"]},
    ),
    *(
        Wrong(
            f"own line's {line}",
            "gres, GPU set",
            fix=fix,
            gpu={"gres": None, "extra_lines": [f"#SBATCH {line}"]},
            field="gpu_slurm_config.extra_lines",
        )
        for line, fix in (
            ("--gpus-per-node=v100:3", "of extra_lines to ask for 2 or fewer."),
            ("--gpus-per-node=v10:1", "of extra_lines to v100:1."),
        )
    ),
    Wrong(
        "first of two is for others",
        "partition access",
        WARNING,
        "urgent is for the groups root",
        "Set partition to main.",
        "default_slurm_config.partition",
        default={"partition": "urgent,main"},
        breaks=option("urgent", allowgroups="root"),
        refused=True,
    ),
    Wrong(
        "least nodes",
        "nodes",
        says="asks for 1 node, and main has a job take 2 or more",
        fix="Set nodes to 2 or more",
        default={"nodes": 1},
        breaks=option("main", minnodes="2"),
        field="default_slurm_config.nodes",
    ),
    Wrong(
        "only in reservations",
        "partition access",
        says="main takes only jobs of a reservation",
        fix="#SBATCH --reservation=NAME",
        breaks=option("main", reqresv="yes"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "reserved for others before jobs have to end",
        "trial",
        WARNING,
        "All nodes of main are reserved for others for some of the time",
        "Set time so that jobs end before that",
        breaks=lambda lab: lab.policy.reservation("theirs", lab.spec.other_user, "c[1-4]"),
    ),
    Wrong(
        "reservation to come",
        "nodes",
        WARNING,
        "The reservation ours, which jobs name, begins only at",
        "Leave out --reservation in the line “#SBATCH --reservation=ours”",
        default={"extra_lines": ["#SBATCH --reservation=ours"]},
        gpu={"extra_lines": []},
        breaks=lambda lab: lab.policy.reservation("ours", lab.spec.user, "c1"),
        field="default_slurm_config.extra_lines",
    ),
    Wrong(
        "reservation of other nodes",
        "nodes",
        says="has no node of main, but g1",
        fix="or name a partition of these nodes",
        default={"extra_lines": ["#SBATCH --reservation=ours"]},
        gpu={"extra_lines": []},
        breaks=lambda lab: lab.policy.reservation("ours", lab.spec.user, "g1"),
        field="default_slurm_config.extra_lines",
    ),
    Wrong(
        "reservation of others",
        "trial",
        says="Access denied to requested reservation",
        default={"extra_lines": ["#SBATCH --reservation=theirs"]},
        breaks=lambda lab: lab.policy.reservation("theirs", lab.spec.other_user, "c1"),
        field="default_slurm_config.extra_lines",
    ),
    Wrong(
        "no time for both",
        "time limit",
        says="soon",
        field="default_slurm_config.time",
        default={"time": "soon"},
    ),
    Wrong(
        "all nodes of both drained",
        "nodes",
        WARNING,
        "4 drained",
        "state=resume",
        breaks=drained("c1", "c2", "c3", "c4"),
    ),
    Wrong(
        "no partition",
        "partition",
        says="is missing",
        field="default_slurm_config.partition",
        default={"partition": None},
    ),
    Wrong(
        "task above the maxima",
        "memory",
        says="max_mem_per_job",
        fix="mem in default_slurm_config to 8000M or less, or max_mem_per_job in batching_config to 9000M",
        default={"mem": "9G"},
        gpu={"mem": "1G"},
        field="default_slurm_config.mem",
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
async def test_names_the_cause(cluster: Cluster, wrong: Wrong) -> None:
    release = cluster.lab.run("sbatch", "--version").stdout.split()[1]
    if wrong.refused and tuple(map(int, release.split(".")[:2])) > (23, 11):
        pytest.skip(f"the trial of SLURM {release} takes such jobs")
    wrong.breaks(cluster.lab)
    assert_names(await findings(cluster, changed(cluster.lab, wrong)), wrong)


# Accounts, QOS and limits


def only_high(lab: Lab) -> None:
    lab.policy.qos("high")
    lab.policy.partition("main", allowqos="high")


def only_others(lab: Lab) -> None:
    lab.policy.account("others", lab.spec.other_user)
    lab.policy.partition("main", allowaccounts="others")


def for_reservations(lab: Lab) -> None:
    lab.policy.qos("part", "flags=RequiresReservation")
    lab.policy.limits("user", lab.spec.user, "qos+=part")


def more_than_one(lab: Lab) -> None:
    lab.policy.qos("part", "mintresperjob=cpu=2")
    lab.policy.partition("main", qos="part")


WRONG_ACCOUNTS = [
    Wrong(
        "account",
        "account",
        says="no account labb",
        fix="one of: lab",
        field="default_slurm_config.account",
        default={"account": "labb"},
    ),
    Wrong(
        "account of others",
        "account",
        says="is not one of",
        fix="sacctmgr add user",
        field="default_slurm_config.account",
        default={"account": "others"},
        breaks=lambda lab: lab.policy.account("others", lab.spec.other_user),
    ),
    Wrong(
        "account of the GPU set",
        "account, GPU set",
        field="gpu_slurm_config.account",
        gpu={"account": "nope"},
    ),
    Wrong(
        "account denied",
        "partition access",
        says="account lab",
        fix="denyaccounts=",
        breaks=option("main", denyaccounts="lab"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "account above denied",
        "partition access",
        breaks=lambda lab: lab.policy.partition("main", denyaccounts="root,lab"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "accounts allowed",
        "partition access",
        says="accounts others",
        fix="allowaccounts=others,lab",
        breaks=only_others,
        field="default_slurm_config.partition",
    ),
    Wrong(
        "QOS allowed",
        "partition access",
        says="QOS high",
        breaks=only_high,
        field="default_slurm_config.partition",
    ),
    Wrong(
        "QOS",
        "qos",
        says="no QOS nope",
        field="default_slurm_config.extra_lines",
        default={"extra_lines": ["#SBATCH --qos=nope"]},
    ),
    Wrong(
        "QOS of reservations",
        "qos",
        says="The QOS part is only for jobs of a reservation",
        fix="#SBATCH --reservation=NAME",
        default={"extra_lines": ["#SBATCH -q part"]},
        gpu={"extra_lines": []},
        breaks=for_reservations,
        field="default_slurm_config.extra_lines",
    ),
    Wrong(
        "account elsewhere",
        "account, GPU set",
        says="only in the partitions main",
        fix="Set account to one of: lab.",
        default={"account": "part"},
        breaks=lambda lab: lab.policy.account("part", lab.spec.user, partition="main"),
        field="default_slurm_config.account",
    ),
    Wrong(
        "cluster",
        "partition",
        says="There is no cluster nix",
        fix="Leave out --clusters in the line “#SBATCH -M nix” of extra_lines",
        default={"extra_lines": ["#SBATCH -M nix"]},
        field="default_slurm_config.extra_lines",
    ),
    Wrong(
        "QOS of others",
        "qos",
        says="not allowed",
        fix="set qos+=high",
        default={"extra_lines": ["#SBATCH -q high"]},
        breaks=lambda lab: lab.policy.qos("high"),
        field="default_slurm_config.extra_lines",
    ),
    Wrong(
        "jobs of the user",
        "job limits",
        WARNING,
        "may have 3 in the queue",
        "max_num_jobs to 3",
        "batching_config.max_num_jobs",
        breaks=lambda lab: lab.limit_submissions(3),
    ),
    Wrong(
        "jobs of the account",
        "job limits",
        WARNING,
        "GrpSubmitJobs",
        breaks=lambda lab: lab.policy.limit_account(7),
        field="batching_config.max_num_jobs",
    ),
    Wrong(
        "least of a job",
        "job limits",
        WARNING,
        "A job of a single task has 1 CPU, and the QOS part wants 2 or more (MinTRESPerJob cpu)",
        "#SBATCH --qos=NAME",
        "default_slurm_config.cpus_per_task",
        breaks=more_than_one,
    ),
    Wrong("no jobs", "job limits", FAILURE, "No job is taken", breaks=lambda lab: lab.limit_submissions(0)),
    Wrong(
        "accounting",
        "accounting",
        UNTOLD,
        "Connection refused",
        "slurmdbd",
        breaks=lambda lab: lab.kill_accounting(),
    ),
]


@pytest.mark.parametrize("wrong", WRONG_ACCOUNTS, ids=lambda wrong: wrong.name)
async def test_names_the_cause_with_accounting(accounting_cluster: Cluster, wrong: Wrong) -> None:
    wrong.breaks(accounting_cluster.lab)
    assert_names(await findings(accounting_cluster, changed(accounting_cluster.lab, wrong)), wrong)


async def test_its_own_cluster_is_no_other(accounting_cluster: Cluster) -> None:
    line = f"#SBATCH --clusters={accounting_cluster.lab.spec.name}"
    config = changed(accounting_cluster.lab, Wrong("", "", default={"extra_lines": [line]}))
    found = await findings(accounting_cluster, config)
    assert [one.check for one in found] == list(checks_of(config))
    assert not_ok(found) == []


async def test_what_needs_the_accounting_is_left_out(accounting_cluster: Cluster) -> None:
    accounting_cluster.lab.kill_accounting()
    found = await findings(accounting_cluster, changed(accounting_cluster.lab, Wrong("", "")))
    rest = found[-1]
    assert (rest.check, rest.state) == (REST, UNTOLD)
    assert rest.detail == (
        "Account, qos and job limits were not looked at, because accounting could not be told."
    )
    # The scheduler goes on without it.
    assert next(one for one in found if one.check == "trial").state is FindingState.OK


# The controller


@pytest.mark.parametrize(
    ("breaks", "says"),
    [(Lab.kill_controller, "Unable to contact slurm controller"), (Lab.pause_controller, "Socket timed out")],
    ids=["down", "silent"],
)
async def test_controller(cluster: Cluster, breaks: Breaker, says: str) -> None:
    config = changed(cluster.lab, Wrong("", ""))
    breaks(cluster.lab)
    *found, rest = await findings(cluster, config)
    cluster.lab.resume_controller() if cluster.lab.pid("slurmctld") else None
    assert [one.check for one in found] == ["sbatch", "squeue", "scancel", "controller"]
    (bad,) = not_ok(found)
    assert (bad.check, bad.state) == ("controller", FAILURE)
    assert says in bad.detail
    assert says in bad.evidence
    assert rest.check == REST
    assert rest.detail.startswith("Accounting, queue, partition, ")
    assert "and trial were not looked at, because controller has failed." in rest.detail


# The queue


async def test_jobs_are_hidden(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab.up(lab_folder, nodes=1, options=("PrivateData=jobs",))
    monkeypatch.setenv("SLURM_CONF", lab.spec.conf)
    cluster = sudo_cluster(lab)
    wrong = Wrong("hidden", "queue", WARNING, "hidden from us", f"modify user {lab.spec.operator} set")
    assert_names(await findings(cluster, changed(lab, wrong)), wrong)


# The whole


async def test_one_cause_is_told_once(cluster: Cluster) -> None:
    """Both sets have it, and most of what follows from it would be wrong as well."""
    wrong = Wrong(
        "both",
        "partition",
        field="default_slurm_config.partition",
        default={"partition": "nope"},
        gpu={"partition": "nope"},
    )
    found = await findings(cluster, changed(cluster.lab, wrong))
    assert_names(found, wrong)
    assert found[-1].detail == (
        "Partition state, partition access, account, qos, time limit, cpus, memory, gres, features, nodes, "
        "job limits, batching and trial were not looked at, because partition has failed."
    )


async def test_what_is_left_out_of_one_set(cluster: Cluster) -> None:
    cluster.lab.partition("gpu", "drain")
    *_, rest = await findings(cluster, changed(cluster.lab, Wrong("", "")))
    assert rest.detail == (
        "Trial of the GPU set was not looked at, because partition state, GPU set has failed."
    )
    config = changed(cluster.lab, Wrong("", "", gpu={"partition": "gup"}))
    *_, rest = await findings(cluster, config)
    assert rest.detail.startswith("Partition state, partition access, account, qos, time limit, ")
    assert " and trial of the GPU set were not looked at, because partition, GPU set has" in rest.detail


async def test_nothing_is_changed(cluster: Cluster) -> None:
    lab = cluster.lab
    before = lab.squeue("--noheader", "--format=%i")
    await findings(cluster, changed(lab, Wrong("", "")))
    assert lab.squeue("--noheader", "--format=%i") == before
    assert not cluster.here(cluster.runner.jobs_folder + "/sample").exists()


async def test_a_sample_of_its_own_that_no_job_can_be_made_for(cluster: Cluster) -> None:
    config = changed(cluster.lab, Wrong("", ""))
    for sample, check, option in (
        (Sample(cpus=64), "cpus", "so many CPUs (--cpus)"),
        (Sample(mem_mb=9000), "memory", "so much memory (--mem)"),
    ):
        found = await findings(cluster, config, sample)
        (bad,) = not_ok(found)
        assert (bad.check, bad.state, bad.of, bad.field) == (check, FAILURE, "", "")
        assert bad.fix.startswith(f"The sample itself asks for {option}, and not the resource")
        assert_reasons(found)
        assert found[-1].detail.endswith(f" and trial were not looked at, because {check} has failed.")
    found = await findings(cluster, config, Sample(tasks=1_000_000))
    (bad,) = not_ok(found)
    assert (bad.check, bad.state) == ("batching", FAILURE)
    assert (bad.of, bad.field) == ("resource", "jobs_runner_config.batching_config.max_num_jobs")
    assert "40000 tasks" in bad.detail
    assert "fewer tasks (--tasks)" in bad.fix


@pytest.mark.parametrize(
    ("gpu", "default", "lines", "set_name"),
    [
        (None, {}, [], "gres"),
        ({"partition": "main"}, {}, [], "gres, GPU set"),
        (None, {"partition": "gpu", "gres": "gpu:1"}, [], ""),
        ({"partition": "gpu"}, {}, ["#SBATCH --gpus-per-node=1"], ""),
        ({"partition": "gpu", "gres": "gpu:1"}, {}, [], ""),
    ],
    ids=["no set", "a set without", "of the default", "own line", "of the set"],
)
async def test_a_sample_that_needs_a_gpu(
    cluster: Cluster, gpu: dict[str, Any] | None, default: dict[str, Any], lines: list[str], set_name: str
) -> None:
    values: Any = resource(cluster.lab.spec, "slurm_sudo")["jobs_runner_config"]
    values["gpu_slurm_config"] = gpu and {**gpu, "extra_lines": lines}
    values["default_slurm_config"] |= default
    config = SlurmRunnerConfig.model_validate(values)
    assert not_ok(await findings(cluster, config)) == []
    bad = not_ok(await findings(cluster, config, Sample(needs_gpu=True)))
    assert [(one.check, one.state) for one in bad] == ([(set_name, WARNING)] if set_name else [])
    for one in bad:
        assert (one.of, one.field) == ("resource", "jobs_runner_config.gpu_slurm_config")
        assert one.detail.startswith("A step that needs a GPU gets none: ")
        assert one.fix == "Give gpu_slurm_config the partition gpu and the gres gpu:v100:1, for example."


async def test_a_sample_of_its_own(cluster: Cluster) -> None:
    """What the sample asks for is no fault of the configuration."""
    config = changed(cluster.lab, Wrong("", "", batching=LARGE))
    found = await findings(cluster, config, Sample(tasks=3, mem_mb=20_000))
    assert [(one.check, one.state, one.field) for one in not_ok(found)] == [
        ("memory", FAILURE, ""),
        ("memory, GPU set", FAILURE, ""),
    ]
    assert "The sample itself asks for so much memory (--mem)" in not_ok(found)[0].fix
    assert "ask for 16,000 MB or less" in not_ok(found)[0].fix
