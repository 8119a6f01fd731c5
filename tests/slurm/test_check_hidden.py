"""What sites keep to themselves: what can be told all the same is told, and the rest is called not told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.checking.slurm.check import checks_of
from runners.findings import REST, Finding, FindingState
from tests.lab.fixtures import ROOT
from tests.lab.lab import Lab
from tests.lab.packages import why_no_lab
from tests.lab.waiting import wait_for
from tests.slurm.clusters import Cluster
from tests.slurm.configurations import (
    UNTOLD,
    WARNING,
    Wrong,
    assert_names,
    assert_reasons,
    changed,
    findings,
    not_ok,
    option,
    state,
)
from tests.slurm.conftest import Opener

_NAMING = ("PrivateData", "EnforcePartLimits")
PARTITIONS = ("PrivateData=partitions",)
ENFORCED = (*PARTITIONS, "EnforcePartLimits=ALL")
NODES = ("PrivateData=nodes",)
ALL = ("PrivateData=all", "EnforcePartLimits=ANY")
CLOUD = (
    "EnforcePartLimits=ANY",
    "SuspendProgram=/bin/true",
    "ResumeProgram=/bin/true",
    "SuspendTime=600",
    "NodeName=k[1-2] State=CLOUD CPUs=8 RealMemory=16000",
    "NodeName=l1 State=CLOUD CPUs=16 RealMemory=64000",
    "NodeName=f1 State=FUTURE CPUs=8 RealMemory=16000",
    "PartitionName=cloud Nodes=k[1-2] State=UP",
    "PartitionName=more Nodes=c[1-2],l1 State=UP",
    "PartitionName=future Nodes=f1 State=UP",
)
"""Nodes in a cloud, which are not shown while they are off, and one that is there one day."""


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A cluster with these settings."""
    if reason := why_no_lab():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="runyard-lab-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        lab = Lab.up(folder / "lab", nodes=2, root=ROOT)
        try:
            conf = lab.spec.here / "slurm.conf"
            conf.write_text(conf.read_text() + "".join(f"{line}\n" for line in request.param))
            lab.kill_controller()
            lab.start_controller()
            # Newer releases show those in the cloud, which never are.
            wait_for(lambda: states(lab) == {"idle"}, "the nodes to be up")
            yield lab
        finally:
            lab.down()
    finally:
        folder.rmdir()


def states(lab: Lab) -> set[str]:
    """Those of the lab's nodes."""
    return set(lab.ground.must("sinfo", "-h", "-N", f"-n{','.join(lab.spec.node_names)}", "-o%T").split())


@pytest.fixture
def hidden(site: Lab) -> Iterator[Lab]:
    """It, as it was before, afterwards."""
    yield site
    site.policy.undo()
    site.partition("main", "up")


def at(*options: tuple[str, ...]) -> pytest.MarkDecorator:
    """Tests at sites with these settings."""
    names = ["-".join(line.partition("=")[2] for line in one if line.startswith(_NAMING)) for one in options]
    return pytest.mark.parametrize("site", options, indirect=True, ids=names, scope="module")


@at(ENFORCED, NODES, ALL)
async def test_a_right_configuration_is_right_where_much_is_private(hidden: Lab, opened: Opener) -> None:
    cluster = opened(hidden)
    config = changed(hidden, Wrong("", "", default={"time": "30"}))
    found = await findings(cluster, config)
    assert [one.check for one in found] == list(checks_of(config))
    # Through sudo it is we who look at the queue, and not the owner of the jobs.
    hidden_queue = is_through_sudo(cluster) and ALL[0] in (hidden.spec.here / "slurm.conf").read_text()
    assert checks(found) == ([("queue", WARNING)] if hidden_queue else [])
    batching = next(one for one in found if one.check == "batching")
    assert batching.detail == "SLURM takes jobs with 8 CPUs, and with 8,000 MB. No nodes are shown to us."


NOT_SHOWN = [
    Wrong(
        "partition",
        "trial",
        says="There is no such partition",
        default={"partition": "mian"},
        field="default_slurm_config.partition",
    ),
    Wrong(
        "partition of the GPU set",
        "trial, GPU set",
        gpu={"partition": "gup"},
        field="gpu_slurm_config.partition",
    ),
    Wrong("drained", "trial", says="inactive or drain", breaks=state("main", "drain")),
    Wrong(
        "groups",
        "trial",
        says="None of the user's groups",
        breaks=option("main", allowgroups="root"),
        field="default_slurm_config.partition",
    ),
    Wrong(
        "time",
        "trial, GPU set",
        says="time limit is longer than the partition allows",
        gpu={"time": "2:00:00"},
        field="gpu_slurm_config.time",
    ),
    Wrong(
        "CPUs",
        "trial",
        default={"cpus_per_task": 9},
        gpu={"cpus_per_task": 1},
        batching={"max_cpus_per_job": 9},
    ),
    Wrong(
        "feature",
        "trial",
        default={"constraint": "intle"},
        gpu={"constraint": None},
        field="default_slurm_config.constraint",
    ),
    Wrong(
        "no time",
        "trial",
        says="time limit can't be read",
        default={"time": "soon"},
        gpu={"time": None},
        field="default_slurm_config.time",
    ),
    Wrong(
        "memory of a job",
        "batching",
        WARNING,
        "Jobs may grow to 20,000 MB, and SLURM refuses such jobs in main",
        "Set max_mem_per_job to what a node gives jobs, or less.",
        "batching_config.max_mem_per_job",
        batching={"max_mem_per_job": "20G"},
    ),
    Wrong(
        "CPUs of a job",
        "batching",
        WARNING,
        "Jobs may grow to 9 CPUs",
        field="batching_config.max_cpus_per_job",
        batching={"max_cpus_per_job": 9},
    ),
]


@at(ENFORCED)
@pytest.mark.parametrize("wrong", NOT_SHOWN, ids=lambda wrong: wrong.name)
async def test_names_the_cause_where_partitions_are_private(
    hidden: Lab, opened: Opener, wrong: Wrong
) -> None:
    wrong.breaks(hidden)
    assert_names(await findings(opened(hidden), changed(hidden, wrong)), wrong)


@at(PARTITIONS)
async def test_what_no_trial_tells_of_private_partitions(hidden: Lab, opened: Opener) -> None:
    """SLURM takes what it never starts, unless the site has it say so."""
    release = tuple(map(int, hidden.run("sbatch", "--version").stdout.split()[1].split(".")[:2]))
    found = await findings(opened(hidden), changed(hidden, Wrong("", "")))
    # In older releases the trial looks at groups, and there are no accounts here.
    assert checks(found) == ([] if release <= (22, 5) else [("partition access", UNTOLD)])
    found = await findings(opened(hidden), changed(hidden, Wrong("", "", default={"time": "30"})))
    assert_reasons(found)
    if release <= (22, 5):
        assert checks(found) == [("time limit", UNTOLD)]
        assert not_ok(found)[0].detail.startswith("How long jobs may take is not shown to us")
        return
    (untold,) = not_ok(found)
    assert untold.check == "partition access"
    assert untold.detail.endswith("SLURM takes jobs all the same: those that they are not for wait for ever.")
    assert untold.fix.endswith(": EnforcePartLimits=ALL")
    assert found[-1].detail == "Time limit was not looked at, because partition access could not be told."


@at(NODES)
async def test_names_the_cause_where_nodes_are_private(hidden: Lab, opened: Opener) -> None:
    wrong = Wrong(
        "features",
        "trial",
        default={"constraint": "intle"},
        gpu={"constraint": None},
        field="default_slurm_config.constraint",
    )
    found = await findings(opened(hidden), changed(hidden, wrong))
    assert_names(found, wrong)
    assert found[-1].detail == (
        "Cpus, memory, features, nodes and batching were not looked at, because trial has failed."
    )


# Nodes that are off


def on(partition: str) -> dict[str, object]:
    """Changes to the default set."""
    return {"partition": partition}


LARGE = {"target_mem_per_job": "30G", "max_mem_per_job": "30G", "max_cpus_per_job": 16}

OFF = [
    Wrong("in the cloud", "", default=on("cloud")),
    Wrong(
        "larger in the cloud",
        "",
        default={**on("more"), "mem": "20G", "cpus_per_task": 16},
        gpu={"mem": "1G", "cpus_per_task": 1},
        batching=LARGE,
    ),
    Wrong(
        "too large for the cloud",
        "batching",
        WARNING,
        "Jobs may grow to 80,000 MB, and ",
        default=on("more"),
        batching={"max_mem_per_job": "80G"},
        field="batching_config.max_mem_per_job",
    ),
    Wrong(
        "there one day", "trial", says="Requested node configuration is not available", default=on("future")
    ),
]


@at(CLOUD)
@pytest.mark.parametrize("wrong", OFF, ids=lambda wrong: wrong.name)
async def test_nodes_that_are_off(hidden: Lab, opened: Opener, wrong: Wrong) -> None:
    found = await findings(opened(hidden), changed(hidden, wrong))
    if wrong.check:
        assert_names(found, wrong)
    else:
        assert checks(found) == []
        assert found[-1].check != REST


@at(CLOUD)
async def test_one_of_two_partitions_is_enough(hidden: Lab, opened: Opener) -> None:
    """Here; where all of them have to do, it is not."""
    two = Wrong(
        "", "", default={"partition": "main,gpu", "time": "2:00:00"}, gpu={"partition": "gpu", "time": "30"}
    )
    assert checks(await findings(opened(hidden), changed(hidden, two))) == []


# Accounts


@pytest.fixture
def accounts_are_private(accounting_lab: Lab) -> Iterator[Lab]:
    """A cluster whose accounting shows people only what is theirs."""
    conf = accounting_lab.spec.here / "slurmdbd.conf"
    before = conf.read_text()
    conf.write_text(f"{before}PrivateData=accounts,users\n")
    accounting_lab.ground.must("sacctmgr", "reconfigure")
    yield accounting_lab
    conf.write_text(before)
    accounting_lab.ground.must("sacctmgr", "reconfigure")


async def test_accounts_that_are_private(accounts_are_private: Lab, opened: Opener) -> None:
    lab, cluster = accounts_are_private, opened(accounts_are_private)
    assert checks(await findings(cluster, changed(lab, Wrong("", "")))) == []
    account = Wrong(
        "account",
        "account",
        says="nope",
        fix="Set account to one of",
        default={"account": "nope"},
        field="default_slurm_config.account",
    )
    found = await findings(cluster, changed(lab, account))
    assert_names(found, account)
    # Through sudo it is we who ask, who are not the user.
    private = "The accounts of {} are private here, and not shown to us."
    told = next(one for one in found if one.check == "account").detail
    assert (private.format(lab.spec.user) in told) is is_through_sudo(cluster)
    qos = Wrong(
        "QOS",
        "qos",
        default={"extra_lines": ["#SBATCH --qos=nope"]},
        field="default_slurm_config.extra_lines",
    )
    assert_names(await findings(cluster, changed(lab, qos)), qos)


async def test_a_partition_for_accounts_where_accounts_are_private(
    accounts_are_private: Lab, opened: Opener
) -> None:
    lab, cluster = accounts_are_private, opened(accounts_are_private)
    lab.policy.partition("main", denyaccounts="others")
    found = await findings(cluster, changed(lab, Wrong("", "")))
    if not is_through_sudo(cluster):
        assert checks(found) == []
        return
    (untold,) = not_ok(found)
    assert (untold.check, untold.state) == ("partition access", UNTOLD)
    assert "main is closed to some accounts" in untold.detail
    named = Wrong("", "", default={"account": "lab"})
    assert checks(await findings(cluster, changed(lab, named))) == []


def checks(found: list[Finding]) -> list[tuple[str, FindingState]]:
    """What is amiss."""
    return [(one.check, one.state) for one in not_ok(found)]


def is_through_sudo(cluster: Cluster) -> bool:
    return cluster.runner.place.startswith("sudo:")
