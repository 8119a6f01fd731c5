"""What is wrong with accounts, QOS and their limits."""

from __future__ import annotations

import pytest

from runners.checking.slurm.check import checks_of
from runners.findings import REST, FindingState
from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster
from tests.slurm.configurations import (
    FAILURE,
    UNTOLD,
    WARNING,
    Wrong,
    assert_caught,
    changed,
    findings,
    not_ok,
    option,
)
from tests.waiting import until


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


WRONG = [
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


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
async def test_names_the_cause_with_accounting(accounting_cluster: Cluster, wrong: Wrong) -> None:
    await assert_caught(accounting_cluster, wrong)


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


async def test_an_account_below_one_that_is_allowed(accounting_cluster: Cluster) -> None:
    """From 23.02 on it is as good as that one; a real job tells whether it is here."""
    lab = accounting_cluster.lab
    lab.policy.partition("main", allowaccounts="root")
    words = ("--partition=main", "--mem=100", "--output=/dev/null", "--chdir=/", "--parsable", "--wrap=true")
    job = lab.run("sbatch", *words, user=lab.spec.user).stdout.strip()

    def outcome() -> str:
        said = lab.squeue("--noheader", "--states=all", f"--jobs={job}", "--format=%T %r")
        return said if "account" in said or "RUNNING" in said or "COMPLET" in said else ""

    closed = "account" in await until(outcome)
    found = not_ok(await findings(accounting_cluster, changed(lab, Wrong("", ""))))
    assert [one.check for one in found] == (["partition access"] if closed else [])
    assert not closed or "from SLURM 23.02 on" in found[0].detail


async def test_names_of_qos_have_no_case(accounting_cluster: Cluster) -> None:
    accounting_cluster.lab.policy.partition("main", allowqos="NORMAL")
    found = await findings(accounting_cluster, changed(accounting_cluster.lab, Wrong("", "")))
    assert not_ok(found) == []
