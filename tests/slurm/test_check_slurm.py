"""The check of SLURM as a whole: it has nothing against what is right, and tells one cause once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.checking.slurm.check import checks_of
from runners.findings import REST
from runners.transport.base import Command
from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster
from tests.slurm.configurations import (
    FAILURE,
    WARNING,
    Breaker,
    Wrong,
    assert_names,
    changed,
    down,
    findings,
    not_ok,
)
from tests.slurm.runners import sudo_cluster
from tests.waiting import until


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


# What keeps it from asking


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


async def test_jobs_are_hidden(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab.up(lab_folder, nodes=1, options=("PrivateData=jobs",))
    monkeypatch.setenv("SLURM_CONF", lab.spec.conf)
    cluster = sudo_cluster(lab)
    wrong = Wrong("hidden", "queue", WARNING, "hidden from us", f"modify user {lab.spec.operator} set")
    assert_names(await findings(cluster, changed(lab, wrong)), wrong)


# What it says


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


async def test_behind_jobs_without_a_time_limit(cluster: Cluster) -> None:
    """That the scheduler can't foresee a start is no fault then."""
    lab = cluster.lab
    whole = ("-pmain", "-N4", "--exclusive", "--mem=0", "-D/", "-o/dev/null", "--wrap=sleep 60")
    for _ in range(2):
        lab.run("sbatch", *whole, user=lab.spec.user)
    await until(lambda: "Resources" in lab.squeue("-ho%r"))
    config = changed(lab, Wrong("", "", gpu={"partition": "main", "gres": None}))
    found = await findings(cluster, config)
    assert not_ok(found) == []
    trials = [one for one in found if one.check.startswith("trial")]
    assert len(trials) == 2
    for one in trials:
        assert one.detail == (
            "SLURM would take a job of the sample in main; behind jobs without a time limit it can't foresee "
            "when that would start."
        )
        assert "\nPENDING|UNLIMITED|UNLIMITED|" in one.evidence
    # Where nothing that is ahead would explain it, something else is in the way.
    cluster.transport.instead = none_ahead
    first, *_ = not_ok(await findings(cluster, config))
    assert (first.check, first.state) == ("trial", WARNING)
    assert "sees no time at which it could start" in first.detail


def none_ahead(command: Command) -> Command:
    """The question for jobs, as one for those of a name that none has."""
    if command.argv[0] != "squeue" or "--version" in command.argv:
        return command
    return Command((*command.argv, "--name=nobodys"))
