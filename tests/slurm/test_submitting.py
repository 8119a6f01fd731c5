"""`multisubmit` on a real cluster: without store and engine, and nothing lost or run twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runners.workflow import Item, Step
from tests.slurm.clusters import Cluster
from tests.waiting import until

Results = tuple[dict[int, Any], dict[int, BaseException]]


def submitted(cluster: Cluster, script: str, count: int, **meta: int) -> asyncio.Task[Results]:
    """A step that goes over so many items, in a folder of its own; each task leaves a line in `ran`."""
    command = ["sh", "-c", f"echo {{item}} >>ran; {script}"]
    step = Step.model_validate({"name": "It", "command": command, "meta": meta})
    items = [Item(value=str(index)) for index in range(count)]
    return asyncio.create_task(
        cluster.runner.multisubmit(step, items, Path(cluster.folder, "s"), environment={})
    )


def ran(cluster: Cluster) -> list[str]:
    try:
        return sorted(cluster.here(f"{cluster.folder}/s/ran").read_text().split())
    except FileNotFoundError:
        return []


def jobs(cluster: Cluster) -> list[str]:
    return cluster.lab.squeue("--noheader", f"--user={cluster.lab.spec.user}", "--format=%i").split()


async def test_detached_and_taken_up_again(cluster: Cluster) -> None:
    script = "until test -e go; do sleep 0.1; done"
    sizes = {"tasks_per_job": 2, "parallel_tasks_per_job": 2}
    first = submitted(cluster, script, 4, **sizes)
    await until(lambda: len(ran(cluster)) == 4)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    cluster.here(f"{cluster.folder}/s/go").touch()
    results, exceptions = await submitted(cluster, script, 4, **sizes)
    assert (set(results), exceptions) == ({0, 1, 2, 3}, {})
    assert ran(cluster) == ["0", "1", "2", "3"]


async def test_what_a_job_has_no_time_for_goes_into_another(cluster: Cluster) -> None:
    script = "until test -e go; do sleep 0.1; done"
    sizes = {"tasks_per_job": 4, "parallel_tasks_per_job": 1}
    waiting = submitted(cluster, script, 4, **sizes)
    await until(lambda: ran(cluster) == ["0"])
    (job,) = jobs(cluster)
    cluster.lab.run("scancel", "--batch", "--signal=USR2", job)
    await asyncio.sleep(0.5)
    cluster.here(f"{cluster.folder}/s/go").touch()
    results, exceptions = await waiting
    assert (set(results), exceptions) == ({0, 1, 2, 3}, {})
    assert ran(cluster) == ["0", "1", "2", "3"]
    # Whoever asks again is told of both jobs.
    assert (await submitted(cluster, script, 4, **sizes))[1] == {}
    assert ran(cluster) == ["0", "1", "2", "3"]


async def test_a_site_that_takes_one_job_at_a_time(accounting_cluster: Cluster) -> None:
    cluster = accounting_cluster
    cluster.lab.limit_submissions(1)
    results, exceptions = await submitted(cluster, "", 3, tasks_per_job=1, parallel_tasks_per_job=1)
    assert (set(results), exceptions) == ({0, 1, 2}, {})
    assert ran(cluster) == ["0", "1", "2"]


async def test_a_batch_that_is_cancelled_from_outside(cluster: Cluster) -> None:
    waiting = submitted(cluster, "sleep 60", 2, tasks_per_job=2, parallel_tasks_per_job=1)
    await until(lambda: ran(cluster) == ["0"])
    cluster.lab.run("scancel", *jobs(cluster))
    results, exceptions = await waiting
    assert results == {}
    assert {index: str(error) for index, error in exceptions.items()} == {
        0: "cancelled from outside",
        1: "not started: cancelled from outside",
    }
