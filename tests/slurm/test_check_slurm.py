"""What SLURM tells of a configuration: each fault, made in earnest, and the one finding that names it."""

from __future__ import annotations

import dataclasses
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
    """The end of the path of the field at fault."""
    default: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Changes to the default set; so with the others."""
    gpu: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    batching: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    breaks: Breaker = nothing
    """What is done to the cluster."""


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
        given = Sample(sample.tasks, sample.cpus, sample.mem_mb, needs_gpu=gpu)
        return sample_script(whole, given, jobs_folder=runner.jobs_folder)

    as_user = kind == "slurm_ssh"
    found = check_slurm(cluster.transport, config, user=lab.spec.user, as_user=as_user, script=script)
    return [finding async for finding in found]


def not_ok(found: list[Finding]) -> list[Finding]:
    """Those that say that something is amiss."""
    return [one for one in found if one.state is not FindingState.OK and one.check != REST]


def assert_names(found: list[Finding], wrong: Wrong) -> None:
    bad = not_ok(found)
    told = "\n".join(f"{one.state} {one.check}: {one.detail} {one.fix}" for one in bad)
    assert [(one.check, one.state) for one in bad] == [(wrong.check, wrong.state)], told
    (one,) = bad
    assert wrong.says in one.detail
    assert wrong.fix in one.fix
    assert one.field.endswith(wrong.field)
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
    Wrong("gpus", "", gpu={"gres": None, "gpus": "v100:2"}),
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
    Wrong("partition down", "partition state", WARNING, "DOWN", "state=up", breaks=state("main", "down")),
    Wrong("partition drain", "partition state", says="no new jobs", breaks=state("main", "drain")),
    Wrong("partition inactive", "partition state", says="INACTIVE", breaks=state("main", "inactive")),
    Wrong("partition of GPUs down", "partition state, GPU set", WARNING, breaks=state("gpu", "down")),
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
    Wrong("memory of both", "memory", default={"mem": "20G"}, batching=LARGE),
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
    Wrong("type of gres", "gres, GPU set", says="v10,", fix="gpu:v100:1", gpu={"gres": "gpu:v10:1"}),
    Wrong("count of gres", "gres, GPU set", says="2 gpu v100", fix="2 or fewer", gpu={"gres": "gpu:v100:3"}),
    Wrong("count of GPUs", "gres, GPU set", field=".gpus", gpu={"gres": None, "gpus": "3"}),
    Wrong("type of GPUs", "gres, GPU set", fix="v100:1", gpu={"gres": None, "gpus": "a100:1"}),
    Wrong("gres without GPUs", "gres, GPU set", fix="gpu", field=".gres", gpu={"partition": "main"}),
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
    Wrong("node elsewhere", "nodes", says="in gpu", default={"nodelist": "g1"}),
    Wrong(
        "unknown node left out", "nodes", field=".exclude", default={"exclude": "c9"}, gpu={"exclude": None}
    ),
    Wrong(
        "number of nodes",
        "nodes",
        says="9 nodes",
        fix="4 or less",
        field=".nodes",
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
    ),
    Wrong("no nodes", "nodes", default={"nodes": 0}, gpu={"nodes": 1}),
    Wrong(
        "time",
        "time limit, GPU set",
        says="1:00:00",
        fix="1:00:00 or less",
        field="gpu_slurm_config.time",
        gpu={"time": "2:00:00"},
    ),
    Wrong("time without end", "time limit, GPU set", gpu={"time": "UNLIMITED"}),
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
    ),
    Wrong("root only", "partition access", says="root only", breaks=option("main", rootonly="yes")),
    Wrong(
        "machines",
        "partition access",
        says="the machines c1",
        fix="allocnodes=ALL",
        breaks=option("main", allocnodes="c1"),
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
    ),
    Wrong(
        "own line's memory",
        "memory",
        field="default_slurm_config.extra_lines",
        default={"extra_lines": ["#SBATCH --mem=20G"]},
        gpu={"extra_lines": []},
    ),
    Wrong(
        "no partition",
        "partition",
        says="is missing",
        field="default_slurm_config.partition",
        default={"partition": None},
    ),
    Wrong(
        "task above the maxima", "memory", says="max_mem_per_job", default={"mem": "9G"}, gpu={"mem": "1G"}
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
async def test_names_the_cause(cluster: Cluster, wrong: Wrong) -> None:
    wrong.breaks(cluster.lab)
    assert_names(await findings(cluster, changed(cluster.lab, wrong)), wrong)


# Accounts, QOS and limits


def only_high(lab: Lab) -> None:
    lab.policy.qos("high")
    lab.policy.partition("main", allowqos="high")


def only_others(lab: Lab) -> None:
    lab.policy.account("others", lab.spec.other_user)
    lab.policy.partition("main", allowaccounts="others")


WRONG_ACCOUNTS = [
    Wrong(
        "account",
        "account",
        says="no account labb",
        fix="one of: lab",
        field=".account",
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
    ),
    Wrong(
        "account above denied",
        "partition access",
        breaks=lambda lab: lab.policy.partition("main", denyaccounts="root,lab"),
    ),
    Wrong(
        "accounts allowed",
        "partition access",
        says="accounts others",
        fix="allowaccounts=others,lab",
        breaks=only_others,
    ),
    Wrong(
        "QOS allowed",
        "partition access",
        says="QOS high",
        breaks=only_high,
    ),
    Wrong(
        "QOS",
        "qos",
        says="no QOS nope",
        field="default_slurm_config.extra_lines",
        default={"extra_lines": ["#SBATCH --qos=nope"]},
    ),
    Wrong(
        "QOS of others",
        "qos",
        says="not allowed",
        fix="set qos+=high",
        default={"extra_lines": ["#SBATCH -q high"]},
        breaks=lambda lab: lab.policy.qos("high"),
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
    wrong = Wrong("both", "partition", default={"partition": "nope"}, gpu={"partition": "nope"})
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


async def test_a_sample_of_its_own(cluster: Cluster) -> None:
    """What the sample asks for is no fault of the configuration."""
    config = changed(cluster.lab, Wrong("", "", batching=LARGE))
    found = await findings(cluster, config, Sample(tasks=3, mem_mb=20_000))
    assert [(one.check, one.state, one.field) for one in not_ok(found)] == [
        ("memory", FAILURE, ""),
        ("memory, GPU set", FAILURE, ""),
    ]
