"""How batches end that do not end by themselves: one true verdict for each task, and each run once."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runners.batches import Life
from runners.config.slurm import SlurmRunnerConfig
from runners.explanation import About
from runners.remedies import explain_failure
from runners.sample import Sample
from runners.transport.base import Command
from tests.lab.lab import Lab
from tests.lab.processes import lab_processes
from tests.lab.runyard_home import resource
from tests.slurm.clusters import Cluster, Told, recorded
from tests.waiting import until

FOREVER = "sleep 60"


def running(one: Told, count: int = 1) -> bool:
    """Whether so many tasks have been seen to start."""
    return len(one.of("start")) >= count


async def start_again(cluster: Cluster, one: Told, *changes: str) -> None:
    """Have a job that was put back start at once.

    SLURM lets two minutes pass, in which the nodes get through with it: that has to be waited for.
    """
    await until(lambda: "JobState=PENDING" in cluster.shown(one))
    await until(lambda: not steps(cluster, one))
    # A node takes no job again within the second in which it got rid of it.
    await asyncio.sleep(1.2)
    cluster.lab.scontrol("update", f"jobid={cluster.job(one)}", *changes, "starttime=now")


def steps(cluster: Cluster, one: Told) -> list[int]:
    """The processes that nodes watch over a batch's job with."""
    title = f"slurmstepd: [{cluster.job(one)}.".encode()
    found = []
    for pid in lab_processes(cluster.lab.spec.name, cluster.lab.spec.users.values()):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(title):
                found.append(pid)
    return found


async def forgotten(cluster: Cluster, one: Told) -> None:
    """Wait until squeue shows nothing of a job."""
    shown = ("squeue", "--noheader", "--states=all", f"--jobs={cluster.job(one)}")
    await until(lambda: not cluster.lab.run(*shown).stdout)


async def test_cancelled_from_outside(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0, FOREVER), recorded(1), slots=1))
    await cluster.until(lambda: running(one), one)
    cluster.lab.run("scancel", cluster.job(one))
    await cluster.ended(one)
    assert (one.last.life, one.last.why) == (Life.GONE, "cancelled from outside")
    assert one.last.job is not None
    assert one.last.job.state == "CANCELLED"
    assert one.verdicts == {}
    assert cluster.ran() == ["0"]


async def test_cancelled_from_outside_before_it_began(cluster: Cluster) -> None:
    cluster.lab.partition("main", "down")
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    await cluster.until(lambda: one.reports and one.last.job, one)
    cluster.lab.run("scancel", cluster.job(one))
    await cluster.ended(one)
    assert (one.last.life, one.last.why) == (Life.GONE, "cancelled from outside")
    assert cluster.ran() == []


@pytest.mark.parametrize("begun", [True, False])
async def test_who_cancelled_it(accounting_cluster: Cluster, begun: bool) -> None:
    cluster, lab = accounting_cluster, accounting_cluster.lab
    if not begun:
        lab.partition("main", "down")
    users = {"root": None, lab.spec.user: lab.spec.user}
    batches = [cluster.batch(recorded(0, FOREVER)) for _ in users]
    for one, (who, user) in zip(await cluster.started(*batches), users.items(), strict=True):
        await cluster.until(partial(seen, one, begun), one)
        lab.run("scancel", cluster.job(one), user=user)
        # The accounting hears of it a moment later.
        await until(partial(known_as_cancelled, cluster, one))
        await cluster.ended(one)
        assert (one.last.life, one.last.why) == (Life.GONE, f"cancelled from outside by {who}")


def seen(one: Told, begun: bool) -> bool:
    """Whether a batch has been seen to run, or in the queue."""
    return running(one) if begun else bool(one.reports and one.last.job)


def known_as_cancelled(cluster: Cluster, one: Told) -> bool:
    """Whether the accounting knows that somebody has cancelled a job."""
    words = ("--noheader", "--parsable2", "--allocations", "--format=State", f"--jobs={cluster.job(one)}")
    return cluster.lab.sacct(*words).startswith("CANCELLED by ")


async def test_put_back_and_started_again(cluster: Cluster) -> None:
    once = "test -e again && exit; touch again; "
    batch = cluster.batch(recorded(0), recorded(1, once + FOREVER), recorded(2), slots=1)
    (one,) = await cluster.started(batch)
    await cluster.until(lambda: running(one, 2), one)
    cluster.lab.scontrol("requeue", cluster.job(one))
    await cluster.until(lambda: one.last.requeued, one)
    assert one.last.job is not None
    assert one.last.job.state == "PENDING"
    await start_again(cluster, one)
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "done", 2: "done"}
    # The one that was interrupted ran twice; what had ended before did not.
    assert cluster.ran() == ["0", "1", "1", "2"]
    assert one.last.cursor.restart == 1
    assert sum(report.requeued for report in one.reports) == 1


async def test_put_back_while_nobody_looks(cluster: Cluster) -> None:
    once = "test -e again && exit; touch again; "
    (one,) = await cluster.started(cluster.batch(recorded(0, once + FOREVER), recorded(1), slots=1))
    await cluster.until(lambda: running(one), one)
    cluster.lab.scontrol("requeue", cluster.job(one))
    await start_again(cluster, one)
    other = cluster.again()
    await other.ended(one)
    assert one.verdicts == {0: "done", 1: "done"}
    assert cluster.ran() == ["0", "0", "1"]


async def test_a_node_that_is_lost_with_what_it_runs(cluster: Cluster) -> None:
    once = "test -e again && exit; touch again; "
    (one,) = await cluster.started(cluster.batch(recorded(0), recorded(1, once + FOREVER), slots=1))
    await cluster.until(lambda: running(one, 2), one)
    # Its processes go on: as if only the line to it were cut.
    cluster.lab.kill_node("c1")
    cluster.lab.node_down("c1")
    await cluster.until(lambda: one.last.requeued, one)
    elsewhere = ("excnodelist=c1", "starttime=now")
    cluster.lab.scontrol("update", f"jobid={cluster.job(one)}", *elsewhere)
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "done"}
    assert cluster.ran() == ["0", "1", "1"]


async def test_a_node_that_goes_down(cluster: Cluster) -> None:
    once = "test -e again && exit; touch again; "
    (one,) = await cluster.started(cluster.batch(recorded(0), recorded(1, once + FOREVER), slots=1))
    await cluster.until(lambda: running(one, 2), one)
    cluster.lab.node_down("c1")
    await cluster.until(lambda: one.last.requeued, one)
    # The node itself is well, and not yet through with the job.
    await start_again(cluster, one, "excnodelist=c1")
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "done"}
    assert cluster.ran() == ["0", "1", "1"]


async def test_pushed_out_by_more_urgent_work(cluster: Cluster) -> None:
    once = "test -e again && exit; touch again; "
    (one,) = await cluster.started(cluster.batch(recorded(0, once + FOREVER), slots=1))
    await cluster.until(lambda: running(one), one)
    script = "#!/bin/sh\nsleep 1\n"
    urgent = cluster.lab.run(
        *("sbatch", "--parsable", "--partition=urgent", "--nodes=4", "--exclusive", "--output=/dev/null"),
        user=cluster.lab.spec.user,
        stdin=script,
    )
    assert urgent.returncode == 0, urgent.stderr
    await cluster.until(lambda: one.last.requeued, one)
    await start_again(cluster, one)
    await cluster.ended(one)
    assert one.verdicts == {0: "done"}
    assert cluster.ran() == ["0", "0"]


async def test_the_time_limit_of_a_job(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0), recorded(1, FOREVER), recorded(2), slots=1))
    await cluster.until(lambda: running(one, 2), one)
    cluster.lab.scontrol("update", f"jobid={cluster.job(one)}", "endtime=now+5")
    await cluster.ended(one, timeout_s=60)
    assert one.verdicts == {0: "done", 1: "failed"}
    assert [end["why"] for end in one.of("end") if end["i"] == 1] == ["time limit of the job reached"]
    # What it did not begin waits for another batch.
    assert [(left["i"], left["why"]) for left in one.of("left")] == [([[2, 2]], "time limit")]
    assert cluster.ran() == ["0", "1"]


async def test_a_task_that_needs_more_memory(cluster: Cluster) -> None:
    greedy = "exec python3 -c 'x = b\"x\" * 300_000_000; import time; time.sleep(20)'"
    (one,) = await cluster.started(cluster.batch(recorded(0, greedy), recorded(1), recorded(2)))
    await cluster.ended(one)
    assert one.verdicts == {0: "failed", 1: "done", 2: "done"}
    (why,) = [end["why"] for end in one.of("end") if end["i"] == 0]
    assert why.startswith("out of memory: asked 100 MB, reached ")
    assert cluster.ran() == ["0", "1", "2"]


async def test_a_worker_that_is_killed(cluster: Cluster) -> None:
    (one,) = await cluster.started(cluster.batch(recorded(0, FOREVER), recorded(1), slots=1))
    await cluster.until(lambda: running(one), one)
    cluster.lab.run("scancel", "--batch", "--signal=KILL", cluster.job(one))
    await cluster.ended(one)
    assert one.last.life is Life.GONE
    assert one.last.job is not None
    assert one.last.job.state == "FAILED"
    assert one.last.why.startswith("its job is FAILED")
    assert "CANCELLED AT" in one.last.why


async def test_a_job_that_dies_before_its_worker_has_run_as_long_as_slurm_says(cluster: Cluster) -> None:
    def slow(command: Command) -> Command:
        """A submission whose job gets no further than to wait."""
        if command.argv[0] != "sbatch":
            return command
        directives, mark, line = command.stdin.rpartition(b"\n#SBATCH")
        return replace(command, stdin=directives + mark + line.replace(b"\n", b"\nsleep 50\n", 1))

    cluster.transport.instead = slow
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    await cluster.until(lambda: one.reports and one.last.job and one.last.job.elapsed_s, one)
    cluster.lab.run("scancel", "--signal=KILL", "--full", cluster.job(one))
    await until(lambda: "EndTime=Unknown" not in cluster.shown(one) and "RUNNING" not in cluster.shown(one))
    await cluster.ended(one)
    assert (one.last.life, one.events) == (Life.GONE, [])
    assert one.last.job is not None
    assert one.last.job.elapsed_s is None
    # Not until the verdict: its clock stood still at its end.
    ran = re.search(r"RunTime=(?:0-)?(\d+):(\d+):(\d+)", cluster.shown(one))
    assert ran is not None
    hours, minutes, seconds = map(int, ran.groups())
    assert one.last.job.ran_s == hours * 3600 + minutes * 60 + seconds > 0
    assert all(report.job is None or report.job.ran_s is None for report in one.reports[:-1])


async def test_a_python_that_nodes_do_not_have(lab: Lab, opened: Callable[..., Cluster]) -> None:
    cluster = opened(lab, jobs_slurm_python_worker="/no/such/python3")
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    await cluster.ended(one)
    assert one.last.life is Life.GONE
    assert one.last.why.startswith(
        "There is no /no/such/python3 here; set the Python of the resource to one that nodes have"
    )
    findings = {finding.check: finding async for finding in cluster.runner.check(Sample())}
    assert "/no/such/python3" in findings["python"].detail


@pytest.mark.parametrize("needs_gpu", [False, True])
async def test_a_shell_that_nodes_do_not_have(
    lab: Lab, opened: Callable[..., Cluster], *, needs_gpu: bool
) -> None:
    config: Any = resource(lab.spec, "slurm_sudo")["jobs_runner_config"]
    config["default_slurm_config"]["shebang_line"] = "#!/no/such/zsh -l"
    cluster = opened(lab, jobs_runner_config=SlurmRunnerConfig.model_validate(config))
    (one,) = await cluster.started(cluster.batch(recorded(0), meta={"needs_gpu": needs_gpu}))
    await cluster.ended(one)
    assert one.last.life is Life.GONE
    about = About(job=cluster.job(one), resource="alps", run="3k9m", own={"needs_gpu": needs_gpu})
    explained = explain_failure(one.last.why, about)
    assert explained is not None
    assert "there is no interpreter /no/such/zsh -l, of its shebang_line" in explained.sentence
    if needs_gpu:
        assert "of gpu_slurm_config where that gives one" in explained.remedy
        return
    field = "jobs_runner_config.default_slurm_config.shebang_line"
    assert (explained.of, explained.field) == ("resource", field)
    set_it = f"runyard resource set alps '{field}=#!/bin/sh'"
    assert explained.remedy.endswith(f": {set_it} && runyard retry 3k9m")


async def test_a_script_that_fails_before_its_worker_begins(lab: Lab, opened: Callable[..., Cluster]) -> None:
    config: Any = resource(lab.spec, "slurm_sudo")["jobs_runner_config"]
    config["default_slurm_config"]["extra_lines"] = ["echo no module >&2", "exit 3"]
    cluster = opened(lab, jobs_runner_config=SlurmRunnerConfig.model_validate(config))
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    await cluster.ended(one)
    explained = explain_failure(one.last.why, About(job=cluster.job(one), resource="alps", run="3k9m"))
    assert explained is not None
    # There are no logs of its tasks to look at.
    assert "runyard logs" not in explained.remedy
    assert "no module" in explained.sentence
    assert "extra_lines of the resource" in explained.remedy


async def test_forgotten_by_squeue_before_anyone_looks(forgetful_cluster: Cluster) -> None:
    cluster = forgetful_cluster
    (one,) = await cluster.started(cluster.batch(recorded(0), recorded(1, "exit 1")))
    await forgotten(cluster, one)
    await cluster.ended(one)
    assert one.verdicts == {0: "done", 1: "failed"}


async def test_forgotten_by_squeue_without_a_last_word(forgetful_cluster: Cluster) -> None:
    cluster = forgetful_cluster
    (one,) = await cluster.started(cluster.batch(recorded(0), recorded(1, FOREVER), slots=1))
    await cluster.until(lambda: running(one, 2), one)
    cluster.lab.run("scancel", "--signal=KILL", "--full", cluster.job(one))
    await forgotten(cluster, one)
    await cluster.ended(one)
    assert one.last.life is Life.GONE
    assert one.verdicts == {0: "done"}
    # Without accounting only the job's own output tells.
    assert one.last.why == "cancelled from outside"


async def test_a_partition_that_is_down(cluster: Cluster) -> None:
    cluster.lab.partition("main", "down")
    (one,) = await cluster.started(cluster.batch(recorded(0)))
    await cluster.until(lambda: one.reports and one.last.job and one.last.job.reason == "PartitionDown", one)
    assert one.last.life is Life.ALIVE
    cluster.lab.partition("main", "up")
    await cluster.ended(one)
    assert one.verdicts == {0: "done"}
