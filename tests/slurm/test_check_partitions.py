"""What is wrong with where jobs are sent, and for how long: partitions, nodes, reservations, times."""

from __future__ import annotations

import pytest

from tests.lab.lab import Lab
from tests.slurm.clusters import Cluster
from tests.slurm.configurations import (
    WARNING,
    Breaker,
    Wrong,
    assert_caught,
    changed,
    down,
    drained,
    findings,
    not_ok,
    option,
    state,
)


def drained_for(reason: str, other: str) -> Breaker:
    """The nodes of `main` are drained, one of them for another reason."""

    def breaks(lab: Lab) -> None:
        for nodes, why in (("c[1-3]", reason), ("c4", other)):
            lab.scontrol("update", f"nodename={nodes}", "state=drain", f"reason={why}")

    return breaks


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
        "partition not given",
        "partition",
        fix="Set partition in default_slurm_config to one of: gpu, main, urgent.",
        field="default_slurm_config.partition",
        default={"partition": None},
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
    Wrong("all nodes drained", "nodes, GPU set", WARNING, "1 drained (“lab”)", breaks=drained("g1")),
    Wrong(
        "all nodes drained, with reasons",
        "nodes",
        WARNING,
        "at the moment: 3 drained (“disk swap | till “Monday””), 1 drained (“",
        breaks=drained_for("disk swap | till “Monday”", "red\x1b[31m @x " + 100 * "long "),
    ),
    Wrong(
        "named node down",
        "nodes",
        WARNING,
        "c2 (down: “lab”)",
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
        "4 drained (“lab”)",
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
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
async def test_names_the_cause(cluster: Cluster, wrong: Wrong) -> None:
    release = cluster.lab.run("sbatch", "--version").stdout.split()[1]
    if wrong.refused and tuple(map(int, release.split(".")[:2])) > (23, 11):
        pytest.skip(f"the trial of SLURM {release} takes such jobs")
    await assert_caught(cluster, wrong)


async def test_why_some_nodes_take_no_jobs(cluster: Cluster) -> None:
    lab = cluster.lab
    lab.scontrol("update", "nodename=c2", "state=drain", "reason=disk swap")
    lab.scontrol("update", "nodename=c3", "state=down", "reason=red\x1b[31m " + 100 * "long ")
    found = await findings(cluster, changed(lab, Wrong("", "")))
    assert not_ok(found) == []
    (nodes,) = (one for one in found if one.check == "nodes")
    before, _, rest = nodes.detail.partition("; the rest: ")
    assert before == "2 of 4 nodes of main can take jobs"
    assert "1 drained (“disk swap”)" in rest
    assert "1 down (“'red\\x1b[31m long long" in rest
    assert rest.isprintable()
    assert len(rest) < 150
