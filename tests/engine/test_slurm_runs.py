"""Runs on a real cluster, through sudo and over SSH, with engines that are killed and lines that are down."""

import asyncio
import time

import pytest

from runners.requests import CancelRequest, RequestKind
from runners.states import State
from tests.engine.clusters import ClusterLab
from tests.engine.lab import shell, step
from tests.waiting import until

ITEMS = [str(number) for number in range(8)]
ALL = list(range(8))
APPENDS = "echo {index} >>ran"
GATED = f"{APPENDS}; while ! test -e gate; do sleep 0.05; done"


async def test_a_run_is_launched_and_ends_with_one_true_verdict_for_each_task(cluster: ClusterLab) -> None:
    script = f"{APPENDS}; echo said {{item}}; test {{item}} != 3 || exit 3"
    async with cluster.hosted():
        run = await cluster.launch(shell(script), items=ITEMS, **cluster.there)
        row = await cluster.ended(run, 60.0)
        log = await cluster.client.read_log(run, 2, 0, 100)
    assert (row.state, row.counts.done, row.counts.failed) == (State.FAILED, 7, 1)
    assert cluster.tasks(run)[3].reason == "exit code 3"
    assert cluster.ran_there(run) == ALL
    assert log.data == b"said 2\n"
    assert row.workdir == row.folder
    for batch in cluster.batches(run):
        assert batch.native_id.isdigit()
        assert (batch.nodes, batch.worker_state) == (1, "bye")
    (place,) = cluster.store.places()
    assert (place.resource, place.up, place.trouble) == (cluster.resource, True, "")
    assert len(cluster.commands("sbatch")) == len(cluster.batches(run))


async def test_steps_follow_each_other_and_a_run_may_have_a_folder_of_its_own(cluster: ClusterLab) -> None:
    project = f"{cluster.slurm.spec.home_of(cluster.slurm.spec.user)}/project"
    once = step("sh", "-c", 'cat "$1" >all', "sh", "{args_json}", type="non_parallel", name="All")
    async with cluster.hosted():
        run = await cluster.launch(shell(APPENDS), once, items="ab", folder=project, **cluster.there)
        row = await cluster.ended(run, 60.0)
    assert (row.state, row.folder) == (State.DONE, f"{project}/{run}")
    assert (cluster.folder(run) / "all").read_text() == '{"items": ["a", "b"]}'


# Engines that are killed


async def goes_on(cluster: ClusterLab, run: str) -> None:
    """To the end, without a task that is lost or runs twice."""
    row = await cluster.ended(run, 60.0)
    assert (row.state, row.counts.done) == (State.DONE, 8)
    assert cluster.ran_there(run) == ALL


async def test_an_engine_killed_before_sbatch_began(cluster: ClusterLab) -> None:
    request = cluster.request(shell(APPENDS), items=ITEMS, **cluster.there)
    with cluster.cut_off():
        await cluster.start_engine()
        cluster.leave(RequestKind.LAUNCH, request)
        await cluster.client.wake()
        await cluster.handed_over(request.run)
        await cluster.kill_engine()
    assert cluster.slurm.squeue("--noheader") == ""
    await cluster.start_impatient_engine()
    await goes_on(cluster, request.run)


async def test_an_engine_killed_while_sbatch_has_no_answer(cluster: ClusterLab) -> None:
    request = cluster.request(shell(APPENDS), items=ITEMS, **cluster.there)
    await cluster.start_engine()
    with cluster.deaf():
        cluster.leave(RequestKind.LAUNCH, request)
        await cluster.client.wake()
        await cluster.handed_over(request.run)
        await asyncio.sleep(0.5)
        await cluster.kill_engine()
    await cluster.start_impatient_engine()
    await goes_on(cluster, request.run)


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3])
async def test_an_engine_killed_at_any_moment_of_a_launch(cluster: ClusterLab, delay_s: float) -> None:
    request = cluster.request(shell(APPENDS), items=ITEMS, **cluster.there)
    await cluster.start_engine()
    cluster.leave(RequestKind.LAUNCH, request)
    await cluster.client.wake()
    await asyncio.sleep(delay_s)
    await cluster.kill_engine()
    await cluster.start_impatient_engine()
    await goes_on(cluster, request.run)


async def test_an_engine_killed_while_tasks_run_and_again_when_all_is_done(cluster: ClusterLab) -> None:
    await cluster.start_engine()
    run = await cluster.launch(shell(GATED), items=ITEMS, **cluster.there)
    await until(lambda: cluster.run(run).counts.running == 8, 30.0)
    await cluster.kill_engine()
    await cluster.start_engine()
    await until(lambda: cluster.store.places()[0].up)
    await cluster.kill_engine()
    cluster.open_gate_of(run)
    await until(lambda: cluster.slurm.squeue("--noheader") == "", 30.0)
    await cluster.start_engine()
    await goes_on(cluster, run)


@pytest.mark.parametrize("delay_s", [0.0, 0.2])
async def test_an_engine_killed_while_it_cancels(cluster: ClusterLab, delay_s: float) -> None:
    await cluster.start_engine()
    run = await cluster.launch(shell(GATED), items=ITEMS, **cluster.there)
    await until(lambda: cluster.run(run).counts.running == 8, 30.0)
    cluster.leave(RequestKind.CANCEL, CancelRequest(run=run))
    await cluster.client.wake()
    await asyncio.sleep(delay_s)
    await cluster.kill_engine()
    await cluster.start_engine()
    row = await cluster.ended(run, 60.0)
    assert (row.state, row.counts.cancelled) == (State.CANCELLED, 8)
    assert cluster.ran_there(run) == ALL
    await until(lambda: cluster.slurm.squeue("--noheader") == "", 30.0)


# Cancelling


async def test_one_task_is_cancelled_and_its_neighbours_go_on(cluster: ClusterLab) -> None:
    async with cluster.hosted():
        run = await cluster.launch(shell(GATED), items=ITEMS, **cluster.there)
        await until(lambda: cluster.run(run).counts.running == 8, 30.0)
        await cluster.cancel(run, 5)
        await until(lambda: cluster.states(run)[5] == "cancelled", 30.0)
        cluster.open_gate_of(run)
        row = await cluster.ended(run, 60.0)
    assert (row.counts.done, row.counts.cancelled) == (7, 1)


async def test_a_run_whose_jobs_wait_in_the_queue_is_cancelled(cluster: ClusterLab) -> None:
    cluster.slurm.partition("main", "down")
    async with cluster.hosted():
        run = await cluster.launch(shell(APPENDS), items=ITEMS, **cluster.there)
        await until(lambda: {batch.scheduler_state for batch in cluster.batches(run)} == {"PENDING"}, 30.0)
        assert {batch.scheduler_reason for batch in cluster.batches(run)} == {"PartitionDown"}
        await cluster.cancel(run)
        row = await cluster.ended(run, 60.0)
    assert (row.state, row.counts.cancelled) == (State.CANCELLED, 8)
    assert cluster.slurm.squeue("--noheader") == ""


# Batches that don't get to their end


async def test_what_a_job_had_no_time_for_gets_a_new_one(cluster: ClusterLab) -> None:
    meta = {"tasks_per_job": 8, "parallel_tasks_per_job": 2}
    async with cluster.hosted():
        run = await cluster.launch(shell(GATED, meta=meta), items=ITEMS, **cluster.there)
        await until(lambda: cluster.run(run).counts.running == 2, 30.0)
        (first,) = cluster.batches(run)
        # What SLURM itself sends when the time limit is near.
        cluster.slurm.run("scancel", "--batch", "--signal=USR2", first.native_id)
        await asyncio.sleep(0.5)
        cluster.open_gate_of(run)
        row = await cluster.ended(run, 60.0)
    assert (row.state, row.counts.done) == (State.DONE, 8)
    assert cluster.ran_there(run) == ALL
    first, second = cluster.batches(run)
    assert (first.counts.done, second.counts.done) == (2, 6)
    assert first.native_id != second.native_id


async def test_a_job_that_is_requeued_goes_on_where_it_was(cluster: ClusterLab) -> None:
    script = f"{APPENDS}; test {{index}} -lt 4 || while ! test -e gate; do sleep 0.05; done"
    meta = {"tasks_per_job": 8, "parallel_tasks_per_job": 4}
    async with cluster.hosted():
        run = await cluster.launch(shell(script, meta=meta), items=ITEMS, **cluster.there)
        await until(lambda: cluster.run(run).counts.done == 4 and len(cluster.ran_there(run)) == 8, 30.0)
        (batch,) = cluster.batches(run)
        cluster.slurm.scontrol("requeue", batch.native_id)
        await until(lambda: cluster.run(run).counts.pending == 4, 30.0)
        cluster.open_gate_of(run)
        # SLURM waits a while before it starts a job again.
        cluster.slurm.scontrol("update", f"jobid={batch.native_id}", "starttime=now")
        row = await cluster.ended(run, 60.0)
    assert (row.state, row.counts.done) == (State.DONE, 8)
    # Those that were interrupted have begun twice, and ended once.
    assert cluster.ran_there(run) == sorted([*ALL, 4, 5, 6, 7])
    assert len(cluster.batches(run)) == 1


# A cluster that is down


async def test_a_cluster_that_is_down_at_launch_is_waited_for(cluster: ClusterLab) -> None:
    cluster.take_down()
    async with cluster.hosted():
        run = await cluster.launch(shell(APPENDS), items=ITEMS, **cluster.there)
        assert await until(lambda: cluster.run(run).reason, 40.0)
        (place,) = cluster.store.places()
        assert place.up is False
        assert place.trouble
        cluster.bring_up()
        row = await cluster.ended(run, 60.0)
    assert (row.state, row.reason) == (State.DONE, "")
    assert cluster.ran_there(run) == ALL
    (place,) = cluster.store.places()
    assert (place.up, place.trouble) == (True, "")


async def test_a_run_that_no_cluster_has_heard_of_is_cancelled_without_one(cluster: ClusterLab) -> None:
    cluster.take_down()
    async with cluster.hosted():
        run = await cluster.launch(shell(APPENDS), items=ITEMS, **cluster.there)
        await until(lambda: cluster.run(run).reason, 40.0)
        await cluster.cancel(run)
        assert (await cluster.ended(run, 5.0)).state is State.CANCELLED


async def test_a_cluster_that_is_down_for_a_while_loses_nothing(cluster: ClusterLab) -> None:
    async with cluster.hosted():
        run = await cluster.launch(shell(GATED), items=ITEMS, **cluster.there)
        await until(lambda: cluster.run(run).counts.running == 8, 30.0)
        cluster.take_down()
        await until(lambda: cluster.store.places()[0].up is False, 60.0)
        await cluster.cancel(run, 5)
        cluster.open_gate_of(run)
        assert cluster.run(run).counts.running == 8
        cluster.bring_up()
        row = await cluster.ended(run, 90.0)
    assert row.counts.total == row.counts.ended == 8
    assert set(cluster.states(run)[:5] + cluster.states(run)[6:]) == {"done"}
    assert cluster.ran_there(run) == ALL


async def test_local_runs_are_not_disturbed_by_a_cluster_that_does_not_answer(cluster: ClusterLab) -> None:
    async with cluster.hosted():
        before = await cluster.launch(shell(GATED), items=ITEMS, **cluster.there)
        await until(lambda: cluster.run(before).counts.running == 8, 30.0)
        with cluster.deaf():
            waits = await cluster.launch(shell(APPENDS), items=ITEMS, **cluster.there)
            await cluster.handed_over(waits)
            await cluster.cancel(before, 0)
            began = time.monotonic()
            for _ in range(3):
                row = await cluster.ended(await cluster.launch(step("true"), items="abcd"))
                assert row.state is State.DONE
            assert time.monotonic() - began < 5.0
            assert cluster.run(waits).state is not State.DONE
        cluster.open_gate_of(before)
        assert (await cluster.ended(waits, 60.0)).state is State.DONE
        await cluster.ended(before, 60.0)
    assert cluster.ran_there(waits) == ALL


async def test_local_runs_do_not_wait_while_a_line_is_made(cluster: ClusterLab) -> None:
    with cluster.cut_off():
        async with cluster.hosted():
            waits = await cluster.launch(shell(APPENDS), items=ITEMS, **cluster.there)
            await cluster.handed_over(waits)
            began = time.monotonic()
            for _ in range(3):
                row = await cluster.ended(await cluster.launch(step("true"), items="abcd"))
                assert row.state is State.DONE
            assert time.monotonic() - began < 5.0
            assert cluster.run(waits).state is State.PENDING


# One look at all


async def test_one_squeue_shows_all_batches_of_all_runs_and_resources_of_a_place(cluster: ClusterLab) -> None:
    twin = cluster.add_twin()
    async with cluster.hosted():
        runs = [await cluster.launch(shell(GATED), items=ITEMS, **where) for where in (cluster.there, twin)]
        await until(lambda: all(cluster.run(run).counts.running == 8 for run in runs), 60.0)
        tokens = {batch.token for run in runs for batch in cluster.batches(run)}
        last = cluster.store.commands()[-1].id
        await until(lambda: len(cluster.store.commands(last)) >= 6, 30.0)
        looks = cluster.store.commands(last)
        assert cluster.sessions() == (1 if cluster.over_ssh else 0)
        for run in runs:
            cluster.open_gate_of(run)
        for run in runs:
            assert (await cluster.ended(run, 60.0)).state is State.DONE
    squeues = [look.command for look in looks if look.command.startswith("squeue")]
    reads = [look.command for look in looks if look.command.startswith("read")]
    assert abs(len(squeues) - len(reads)) <= 1
    assert len(squeues) + len(reads) == len(looks)
    assert len(tokens) > 2
    assert all(token in command for token in tokens for command in squeues)
    assert {place.resource for place in cluster.store.places()} == {cluster.resource, "twin"}
