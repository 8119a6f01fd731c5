"""What `runyard show` and `runyard tasks` tell of real jobs that wait or fail: why, and what to do."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from runners.config.files import read_resource
from runners.config.resource import LocalResource
from runners.config.units import parse_memory
from runners.engine.asking import RefusedError
from runners.states import State
from tests.engine.clusters import ClusterLab
from tests.engine.lab import shell
from tests.tui.cli_lab import answer
from tests.waiting import until

pytestmark = pytest.mark.parametrize("cluster", ["lab-sudo"], indirect=True)

FOREVER = "sleep 60"
ONE_JOB = {"tasks_per_job": 2, "parallel_tasks_per_job": 2}


async def told(*words: str) -> Any:
    return await asyncio.to_thread(answer, *words, "--json")


async def batch(cluster: ClusterLab, run: str, reason: str) -> dict[str, Any]:
    """The only batch of a run as it is shown, once it waits for *reason*."""
    await until(lambda: cluster.batches(run) and cluster.batches(run)[0].scheduler_reason == reason, 30.0)
    shown = await told("show", run)
    (one,) = shown["batches"]
    assert (shown["why"], shown["remedy"]) == (one["why"], one["remedy"])
    return dict(one)


async def test_why_jobs_wait(cluster: ClusterLab) -> None:
    cluster.slurm.partition("main", "down")
    async with cluster.hosted():
        run = await cluster.launch(shell("true", meta=ONE_JOB), items="ab", **cluster.there)
        down = await batch(cluster, run, "PartitionDown")
        assert down["why"] == "Waiting: the partition main is down."
        assert down["remedy"].endswith("How it stands: sinfo --summarize --partition=main")
        job = down["native_id"]
        cluster.slurm.partition("gpu", "down")
        cluster.slurm.scontrol("update", f"jobid={job}", "partition=main,gpu")
        await until(lambda: cluster.batches(run)[0].partition == "main,gpu", 30.0)
        down = await batch(cluster, run, "PartitionDown")
        assert down["why"] == "Waiting: one of the partitions main, gpu is down."
        how = down["remedy"].rpartition(": ")[2].split()
        assert how == ["sinfo", "--summarize", "--partition=main,gpu"]
        stands = [line.split()[:2] for line in cluster.slurm.run(*how).stdout.splitlines()[1:]]
        assert stands == [["main*", "down"], ["gpu", "down"]]
        cluster.slurm.scontrol("uhold", job)
        held = await batch(cluster, run, "JobHeldUser")
        assert (held["why"], held["remedy"]) == ("Held by its owner.", f"Let it go: scontrol release {job}")
        cluster.slurm.partition("main", "up")
        # What is advised helps.
        cluster.slurm.run(*held["remedy"].rpartition(": ")[2].split())
        assert (await cluster.ended(run, 60.0)).state is State.DONE


async def test_why_a_job_waits_for_a_node(cluster: ClusterLab) -> None:
    cluster.slurm.node_drain("c1")
    async with cluster.hosted():
        meta = {**ONE_JOB, "nodelist": "c1"}
        run = await cluster.launch(shell("true", meta=meta), items="ab", **cluster.there)
        shown = await batch(cluster, run, "ReqNodeNotAvail, UnavailableNodes:c1")
        assert shown["why"] == "Waiting: a node that it needs is not available (c1)."
        assert shown["remedy"].endswith(": sinfo --list-reasons --nodes=c1")
        cluster.slurm.node_up("c1")
        assert (await cluster.ended(run, 60.0)).state is State.DONE


async def test_why_tasks_ran_out_of_time(cluster: ClusterLab) -> None:
    async with cluster.hosted():
        run = await cluster.launch(shell(FOREVER, meta=ONE_JOB), items="ab", **cluster.there)
        await until(lambda: cluster.run(run).counts.running == 2, 30.0)
        job = cluster.batches(run)[0].native_id
        cluster.slurm.scontrol("update", f"jobid={job}", "timelimit=30", "endtime=now")
        await cluster.ended(run, 60.0)
        tasks = await told("tasks", run, "--state", "failed")
    assert {task["reason"] for task in tasks} == {"time limit of the job reached"}
    assert all(task["why"].startswith("The time limit") for task in tasks)
    # Both had a slot of their own.
    assert all(f": runyard retry {run} --time " in task["remedy"] for task in tasks)


async def test_why_a_task_ran_out_of_memory(cluster: ClusterLab) -> None:
    greedy = "exec python3 -c 'x = b\"x\" * 300_000_000; import time; time.sleep(5)'"
    async with cluster.hosted():
        run = await cluster.launch(shell(greedy, meta=ONE_JOB), items="a", **cluster.there)
        await cluster.ended(run, 60.0)
        shown = await told("show", run)
        (task,) = await told("tasks", run)
        with pytest.raises(RefusedError, match="max_mem_per_job"):
            await cluster.retry(run, mem=10**6)
        # What is advised helps, if not at once.
        tried = [task]
        while tried[-1]["state"] != "done" and len(tried) < 4:
            retry = tried[-1]["remedy"].rpartition(": ")[2]
            again = await told(*retry.split()[1:])
            await cluster.ended(again["run"], 60.0)
            tried += await told("tasks", again["run"])
    assert shown["why"] == task["why"]
    assert task["why"].startswith("The memory was not enough: asked 100 MB, reached ")
    assert task["remedy"].rpartition(" ")[0].endswith(f": runyard retry {run} --mem")
    # It needs some 300 MB, and each time at least the double is asked for.
    assert tried[-1]["state"] == "done", tried
    asked = [parse_memory(each["remedy"].rpartition(" ")[2]) for each in tried[:-1]]
    assert asked[0] >= 200 and all(later >= 2 * mem for mem, later in pairwise(asked)) and asked[-1] > 300
    # Nothing was changed for anybody else.
    resource = read_resource(cluster.home.resources, cluster.resource).value
    assert not isinstance(resource, LocalResource)
    assert resource.jobs_runner_config.default_slurm_config.mem == 100


async def test_why_a_job_waits_whose_node_failed(cluster: ClusterLab) -> None:
    async with cluster.hosted():
        run = await cluster.launch(shell(FOREVER, meta=ONE_JOB), items="ab", **cluster.there)
        await until(lambda: cluster.run(run).counts.running == 2, 30.0)
        node = cluster.batches(run)[0].hosts
        cluster.slurm.kill_node(node)
        cluster.slurm.node_down(node)
        shown = await batch(cluster, run, "BeginTime")
        assert shown["why"] == "Waiting for the time at which it may begin."
        assert shown["remedy"].endswith(f"squeue --start -j {shown['native_id']}")
        await cluster.cancel(run)
        await cluster.ended(run, 60.0)
