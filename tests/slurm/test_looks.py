"""Looking at batches of a real cluster, through what slurmctld, lines and disks do meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from runners.batches import Life, RunnerError
from runners.transport.base import TransportError
from tests.slurm.clusters import Cluster, recorded
from tests.waiting import until

FOREVER = "sleep 60"


async def test_slurmctld_hangs_while_the_worker_goes_on(cluster: Cluster) -> None:
    wait = "until test -e go; do sleep 0.1; done"
    (one,) = await cluster.started(cluster.batch(recorded(0, "sleep 1"), recorded(1, wait), slots=1))
    await cluster.until(lambda: one.of("start"), one)
    cluster.lab.pause_controller()
    # Events come all the same, and nothing is made of a queue that can't be seen.
    await cluster.until(lambda: one.of("end"), one)
    assert cluster.runner.line.up is False
    assert cluster.runner.line.trouble.startswith("SLURM does not show its queue: squeue gives no answer: ")
    cluster.lab.resume_controller()
    (cluster.here(cluster.folder) / "go").touch()
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "done"}
    assert Life.GONE not in {report.life for report in one.reports}


async def test_slurmctld_is_started_anew(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0, "sleep 12"), recorded(1), slots=1))
    await cluster.until(lambda: one.of("start"), one)
    # It forgets what it has not written down.
    state, begun = cluster.lab.spec.here / "state" / "job_state", time.time()
    await until(lambda: state.exists() and state.stat().st_mtime > begun)
    cluster.lab.kill_controller()
    look = asyncio.create_task(cluster.look(one))
    await asyncio.to_thread(cluster.lab.start_controller)
    await look
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "done"}
    assert cluster.ran() == ["0", "1"]
    assert {report.life for report in one.reports} == {Life.ALIVE}


async def test_the_clock_of_a_job_is_not_read_once_it_stands_still(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0, "sleep 2")))
    await cluster.until(lambda: one.reports and one.last.job and one.last.job.elapsed_s, one)
    await until(lambda: "JobState=COMPLETED" in cluster.shown(one))
    # squeue goes on to show what it came to; taken for a time that runs, the job would have begun later.
    assert cluster.lab.squeue("--states=all", f"--jobs={cluster.job(one)}", "-ho%M").strip() > "0:01"
    await cluster.look(one)
    assert one.last.job is not None
    assert (one.last.job.state, one.last.job.elapsed_s) == ("COMPLETED", None)
    await cluster.ended(one)


async def test_the_line_is_lost(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0)))

    def broken(_: object) -> None:
        raise TransportError("the line was lost")

    cluster.transport.before = broken
    for _ in range(5):
        with pytest.raises(RunnerError, match="can't be looked at: the line was lost"):
            await cluster.look(one)
    cluster.transport.before = lambda _: None
    await cluster.ended(one)
    assert one.verdicts == {0: "done"}


async def test_corrupt_and_torn_lines(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0), recorded(1, "sleep 1"), slots=1))
    await cluster.until(lambda: one.of("end"), one)
    events = cluster.here(one.batch.folder) / "events.0.jsonl"
    with events.open("ab") as file:
        file.write(b'{"s":1,"t":1,"e":"end","i":"x"}\n\xff\n')
    await cluster.ended(one)
    assert [event.kind for event in one.events].count("corrupt") == 2
    assert one.verdicts == {0: "done", 1: "done"}


async def test_a_full_disk(cluster: Cluster) -> None:
    disk = cluster.lab.small_disk(f"disk-{cluster.run}", 1)
    cluster.folder = f"{disk}/{cluster.run}"
    hog = "head -c 2000000 /dev/zero >hog || true; "
    (one,) = await cluster.started(cluster.batch(recorded(0, hog), *map(recorded, range(1, 40)), slots=1))
    await cluster.until(lambda: one.of("start"), one)
    await cluster.until(lambda: (cluster.here(cluster.folder) / "hog").exists(), one)
    for _ in range(10):
        await cluster.look(one)
    assert not one.over
    (cluster.here(cluster.folder) / "hog").unlink()
    await cluster.ended(one)
    assert sorted(one.verdicts) == list(range(40))


async def test_a_disk_without_room_for_the_script(cluster: Cluster) -> None:
    disk = cluster.lab.small_disk(f"disk-{cluster.run}", 1)
    (cluster.here(disk) / "hog").write_bytes(bytes(1_040_000))
    cluster.folder = f"{disk}/{cluster.run}"
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    await cluster.ended(one)
    assert one.last.life is Life.GONE
    assert "can't be written" in one.last.why or "No space left" in one.last.why
    assert cluster.ran() == []


async def test_events_come_in_parts(cluster: Cluster) -> None:
    tasks = [recorded(index) for index in range(600)]
    (one,) = await cluster.started(cluster.batch(*tasks, slots=4))
    await cluster.ended(one, timeout_s=60)
    assert one.verdicts == dict.fromkeys(range(600), "done")
    assert len(cluster.ran()) == 600
    assert (one.last.cursor.part > 0) == cluster.transport.whole_reads


async def test_a_large_log_is_read_from_its_end(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch("seq 200000"))
    await cluster.ended(one)
    log = one.batch.tasks[0].log
    size = len("".join(f"{number}\n" for number in range(1, 200_001)))
    end = await cluster.runner.read_log(log, -100, 100)
    assert end.data.endswith(b"199999\n200000\n")
    assert (end.offset + len(end.data), end.size) == (size, size)
    start = await cluster.runner.read_log(log, 0, 10)
    assert (start.data, start.size) == (b"1\n2\n3\n4\n5\n", size)


async def test_accounting_tells_why(accounting_cluster: Cluster) -> None:
    cluster = accounting_cluster
    (one,) = await cluster.started(cluster.batch(recorded(0, FOREVER), slots=1))
    await cluster.until(lambda: one.of("start"), one)
    cluster.lab.run("scancel", "--batch", "--signal=KILL", cluster.job(one))
    await cluster.ended(one)
    assert one.last.why.startswith("its job was killed by signal 9")


async def test_accounting_that_is_slow(accounting_cluster: Cluster) -> None:
    cluster = accounting_cluster
    (one,) = await cluster.started(cluster.batch(recorded(0, FOREVER), slots=1))
    await cluster.until(lambda: one.of("start"), one)
    database = cluster.lab.pid("slurmdbd")
    assert database is not None
    os.kill(database, signal.SIGSTOP)
    try:
        cluster.lab.run("scancel", cluster.job(one))
        began = time.monotonic()
        await cluster.ended(one)
        assert time.monotonic() - began < 10
    finally:
        os.kill(database, signal.SIGCONT)
    assert one.last.why == "cancelled from outside"
