"""Jobs that are cancelled behind Runyard's back: who did it, as far as the accounting tells."""

import asyncio
from functools import partial

from runners.states import State
from tests.engine.clusters import ClusterLab
from tests.engine.lab import shell
from tests.tui.cli_lab import answer
from tests.waiting import until


async def test_who_cancelled_a_job(accounting_cluster: ClusterLab) -> None:
    cluster, slurm = accounting_cluster, accounting_cluster.slurm
    async with cluster.hosted():
        for user, who in ((None, "root"), (slurm.spec.user, slurm.spec.user)):
            meta = {"tasks_per_job": 2, "parallel_tasks_per_job": 1}
            run = await cluster.launch(shell("sleep 60", meta=meta), items="ab", **cluster.there)
            await until(partial(_runs, cluster, run), 30.0)
            slurm.run("scancel", cluster.batches(run)[0].native_id, user=user)
            assert (await cluster.ended(run, 60.0)).state is State.CANCELLED
            assert {task.reason for task in cluster.tasks(run)} == {f"cancelled from outside by {who}"}
            shown = await asyncio.to_thread(answer, "show", run, "--json")
            (batch,) = shown["batches"]
            assert batch["why"] == f"The job was cancelled outside of Runyard, by {who}."
            assert batch["remedy"] == f"Ask why, unless it was you. Retry: runyard retry {run}"


def _runs(cluster: ClusterLab, run: str) -> bool:
    return cluster.run(run).counts.running == 1
