"""Cancelling on a real cluster: tasks and batches, before and after they began."""

from __future__ import annotations

import pytest

from runners.batches import BatchRef, Life, Outcome, RunnerError
from runners.transport.base import Command, TransportError
from tests.slurm.clusters import Cluster, recorded, told
from tests.waiting import until

FOREVER = "sleep 60"
STUBBORN = "trap '' TERM; while :; do sleep 1; done"


async def test_one_task_that_runs_and_one_that_waits(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0, FOREVER), recorded(1), recorded(2), recorded(3), slots=1)
    (one,) = await cluster.started(batch)
    await cluster.until(lambda: one.of("start"), one)
    assert await cluster.runner.cancel(one.watched.batch, [0, 2])
    await cluster.ended(one)
    assert one.verdicts == {0: "cancelled", 1: "done", 2: "cancelled", 3: "done"}
    assert cluster.ran() == ["0", "1", "3"]


async def test_a_batch_that_runs(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0, FOREVER), recorded(1), slots=1))
    await cluster.until(lambda: one.of("start"), one)
    assert await cluster.runner.cancel(one.watched.batch)
    await cluster.ended(one)
    assert one.verdicts == {0: "cancelled"}
    assert [(left["i"], left["why"]) for left in one.of("left")] == [([[1, 1]], "cancelled")]
    # It left by itself.
    await until(lambda: "JobState=COMPLETED" in cluster.shown(one))


async def test_a_batch_that_waits(cluster: Cluster) -> None:
    cluster.lab.partition("main", "down")
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    assert await cluster.runner.cancel(one.watched.batch)
    await cluster.ended(one)
    assert one.last.life is Life.GONE
    assert one.last.job is not None
    assert one.last.job.state == "CANCELLED"
    assert cluster.ran() == []


async def test_tasks_of_a_batch_that_waits(cluster: Cluster) -> None:
    cluster.lab.partition("main", "down")
    (one,) = await cluster.started(cluster.batch(recorded(0), recorded(1)))
    assert await cluster.runner.cancel(one.watched.batch, [0])
    cluster.lab.partition("main", "up")
    await cluster.ended(one)
    assert one.verdicts == {0: "cancelled", 1: "done"}
    assert cluster.ran() == ["1"]


async def test_a_batch_that_was_never_launched(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    assert await cluster.runner.cancel(batch.ref) is False
    assert cluster.transport.exchanges == []
    (answer,) = await cluster.runner.launch([batch.ref])
    assert answer.outcome is Outcome.REFUSED


async def test_a_batch_that_may_have_been_launched(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0), recorded(1))
    await cluster.runner.prepare([batch])
    cluster.note_launch(batch)
    assert await cluster.runner.cancel(batch.ref) is False
    # It was only late: it finds that nothing is to be run.
    cluster.forget_launch(batch)
    (answer,) = await cluster.runner.launch([batch.ref])
    one = told(batch, answer)
    await cluster.ended(one)
    assert [(left["i"], left["why"]) for left in one.of("left")] == [([[0, 1]], "cancelled")]
    assert cluster.ran() == []


async def test_a_batch_of_which_only_the_queue_knows(cluster: Cluster) -> None:
    cluster.lab.partition("main", "down")
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    assert await cluster.runner.cancel(BatchRef(one.batch.token, one.batch.folder)) is True
    await cluster.ended(one)
    assert one.last.why == "cancelled from outside"


async def test_a_worker_that_does_not_stop(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0, STUBBORN), slots=1))
    await cluster.until(lambda: one.of("start"), one)
    # The coordinator hangs; its job must go.
    stopped = cluster.lab.run("pkill", "-STOP", "-f", f"coordinate {one.batch.folder}")
    assert stopped.returncode == 0
    assert await cluster.runner.cancel(one.watched.batch)
    await cluster.ended(one, timeout_s=60)
    assert one.last.life is Life.GONE
    assert one.last.job is not None
    assert one.last.job.state == "CANCELLED"


async def test_the_line_is_down(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0, FOREVER)))

    def broken(_: object) -> None:
        raise TransportError("the line was lost")

    cluster.transport.before = broken
    with pytest.raises(RunnerError, match="can't be cancelled: the line was lost"):
        await cluster.runner.cancel(one.watched.batch)
    cluster.transport.before = lambda _: None
    assert await cluster.runner.cancel(one.watched.batch)
    await cluster.ended(one)


async def test_slurmctld_gives_no_answer(cluster: Cluster) -> None:
    cluster.lab.partition("main", "down")
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    await cluster.look(one)
    cluster.transport.instead = lambda command: (
        Command(("scancel", "--no-such-option")) if command.argv[0] == "scancel" else command
    )
    assert await cluster.runner.cancel(one.watched.batch)
    for _ in range(3):
        await cluster.look(one)
    cluster.transport.instead = lambda command: command
    # What could not be told then is told by the next looks.
    await cluster.ended(one)
    assert one.last.job is not None
    assert one.last.job.state == "CANCELLED"


async def test_a_folder_that_takes_nothing_more(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0, FOREVER), slots=1))
    await cluster.until(lambda: one.of("start"), one)
    control = cluster.here(one.batch.folder) / "control"
    control.rmdir()
    control.write_text("in the way")
    with pytest.raises(RunnerError, match="can't be cancelled: "):
        await cluster.runner.cancel(one.watched.batch, [0])
    assert await cluster.runner.cancel(one.watched.batch)
    await until(lambda: "JobState=CANCELLED" in cluster.shown(one))
    await cluster.ended(one)
