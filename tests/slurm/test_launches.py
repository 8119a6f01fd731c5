"""Launching on a real cluster: whatever happens to sbatch's answer, each batch is started once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from runners.batches import BatchSpec, Launched, Outcome, RunnerError
from runners.transport.base import Command, Exchange, TransportError, UnreachableError
from tests.slurm.clusters import Cluster, recorded, told
from tests.waiting import until


def submits(commands: Sequence[Command]) -> bool:
    return any(command.argv[0] == "sbatch" for command in commands)


def lose_reply(commands: Sequence[Command], exchange: Exchange) -> Exchange:
    """It was done, and nobody hears of it."""
    if submits(commands):
        raise TransportError("the line was lost")
    return exchange


def break_line(error: TransportError) -> Callable[[Sequence[Command]], None]:
    """It never gets there."""

    def refuse(commands: Sequence[Command]) -> None:
        if submits(commands):
            raise error

    return refuse


async def launched(cluster: Cluster, batch: BatchSpec) -> Launched:
    """Launch until it is known what has become of it."""
    async with asyncio.timeout(60):
        while True:
            (answer,) = await cluster.runner.launch([batch.ref])
            if answer.outcome is not Outcome.UNKNOWN:
                return answer
            await asyncio.sleep(0.1)


def jobs(cluster: Cluster, batch: BatchSpec) -> list[str]:
    """The ids of all jobs with its name."""
    return cluster.lab.squeue("--noheader", "--states=all", f"--name={batch.token}", "--format=%i").split()


async def test_the_answer_is_lost(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0), recorded(1))
    await cluster.runner.prepare([batch])
    cluster.transport.after = lose_reply
    (answer,) = await cluster.runner.launch([batch.ref])
    assert answer.outcome is Outcome.UNKNOWN
    assert answer.reason == "Nobody knows whether sbatch took it: the line was lost."
    (answer,) = await cluster.runner.launch([batch.ref])
    assert (answer.outcome, [answer.native_id]) == (Outcome.STARTED, jobs(cluster, batch))
    one = told(batch, answer)
    await cluster.ended(one)
    assert (one.verdicts, cluster.ran()) == ({0: "done", 1: "done"}, ["0", "1"])


async def test_the_answer_is_lost_and_nobody_asks_until_it_is_over(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    cluster.transport.after = lose_reply
    await cluster.runner.launch([batch.ref])
    (job,) = jobs(cluster, batch)
    await until(lambda: "JobState=COMPLETED" in cluster.lab.scontrol("show", "job", job))
    one = told(batch, await launched(cluster, batch))
    await cluster.ended(one)
    assert (one.verdicts, cluster.ran(), jobs(cluster, batch)) == ({0: "done"}, ["0"], [job])


async def test_the_answer_is_lost_and_only_the_accounting_remembers(accounting_cluster: Cluster) -> None:
    cluster = accounting_cluster
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    cluster.lab.partition("main", "down")
    cluster.transport.after = lose_reply
    await cluster.runner.launch([batch.ref])
    (job,) = jobs(cluster, batch)
    cluster.lab.run("scancel", job)
    await until(lambda: "CANCELLED" in cluster.lab.sacct("--noheader", f"--name={batch.token}"))
    nobody = Command(("squeue", "--noheader", "--name=nobody"))
    cluster.transport.instead = lambda command: nobody if command.argv[0] == "squeue" else command
    # It was taken back: it must not be sent again.
    answer = await launched(cluster, batch)
    assert (answer.outcome, answer.native_id) == (Outcome.STARTED, job)
    one = told(batch, answer)
    await cluster.ended(one)
    assert one.last.why == "cancelled from outside by root"


async def test_the_line_is_lost_before_it_got_there(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    cluster.transport.before = break_line(TransportError("the line was lost"))
    (answer,) = await cluster.runner.launch([batch.ref])
    assert answer.outcome is Outcome.UNKNOWN
    cluster.transport.before = lambda _: None
    (answer,) = await cluster.runner.launch([batch.ref])
    assert answer.outcome is Outcome.UNKNOWN
    assert "looked for before it is sent again" in answer.reason
    assert jobs(cluster, batch) == []
    one = told(batch, await launched(cluster, batch))
    await cluster.ended(one)
    assert (one.verdicts, cluster.ran()) == ({0: "done"}, ["0"])


async def test_the_place_can_not_be_reached(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    cluster.transport.before = break_line(UnreachableError("nobody is there"))
    with pytest.raises(RunnerError, match="Batches can't be launched: nobody is there"):
        await cluster.runner.launch([batch.ref])
    cluster.transport.before = lambda _: None
    # Nothing was sent: there is nothing to be looked for.
    (answer,) = await cluster.runner.launch([batch.ref])
    assert answer.outcome is Outcome.STARTED
    assert cluster.transport.exchanges[-1] == ("mkdir", "sbatch")
    await cluster.ended(told(batch, answer))


async def test_an_engine_that_was_killed_leaves_its_mark(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    await cluster.runner.launch([batch.ref])
    other = cluster.again()
    (answer,) = await other.runner.launch([batch.ref])
    assert (answer.outcome, [answer.native_id]) == (Outcome.STARTED, jobs(cluster, batch))
    one = told(batch, answer)
    await other.ended(one)
    assert (one.verdicts, cluster.ran()) == ({0: "done"}, ["0"])


async def test_slurmctld_hangs_while_it_is_asked(cluster: Cluster) -> None:
    first, second = cluster.batch(recorded(0)), cluster.batch(recorded(1))
    await cluster.runner.prepare([first, second])
    cluster.lab.pause_controller()
    answers = await cluster.runner.launch([first.ref, second.ref])
    # One costs a time-out; the other is not even tried.
    assert [answer.outcome for answer in answers] == [Outcome.UNKNOWN, Outcome.HELD]
    assert answers[0].reason.startswith("Nobody knows whether sbatch took it: ")
    assert answers[1].reason.startswith("SLURM takes nothing at the moment: ")
    cluster.lab.resume_controller()
    live = [told(batch, await launched(cluster, batch)) for batch in (first, second)]
    await cluster.ended(*live)
    assert [one.verdicts for one in live] == [{0: "done"}] * 2
    assert (cluster.ran(), len(jobs(cluster, first))) == (["0", "1"], 1)


async def test_several_jobs_of_one_batch(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0, "sleep 2"))
    await cluster.runner.prepare([batch])
    cluster.lab.partition("main", "down")
    for _ in range(3):
        cluster.transport.after = lose_reply
        await cluster.runner.launch([batch.ref])
        cluster.forget_launch(batch)
    first, *others = jobs(cluster, batch)
    assert len(others) == 2
    cluster.note_launch(batch)
    (answer,) = await cluster.runner.launch([batch.ref])
    assert (answer.outcome, answer.native_id) == (Outcome.STARTED, min(first, *others, key=int))
    cluster.lab.partition("main", "up")
    one = told(batch, answer)
    await cluster.ended(one)
    assert (one.verdicts, cluster.ran()) == ({0: "done"}, ["0"])
    shown = ("--noheader", "--states=all", f"--name={batch.token}", "--format=%T")
    ended = ["CANCELLED", "CANCELLED", "COMPLETED"]
    await until(lambda: sorted(cluster.lab.squeue(*shown).split()) == ended)


async def test_a_second_job_that_starts_runs_nothing(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0, "sleep 1"), recorded(1))
    await cluster.runner.prepare([batch])
    (first,) = await cluster.runner.launch([batch.ref])
    cluster.forget_launch(batch)
    (second,) = await cluster.runner.launch([batch.ref])
    live = [told(batch, answer) for answer in (first, second)]
    # Whichever of the two the holder knows, it is told what the batch did.
    for one in live:
        await cluster.ended(one)
        assert one.verdicts == {0: "done", 1: "done"}
    assert cluster.ran() == ["0", "1"]


async def test_a_refusal_in_slurms_own_words(cluster: Cluster) -> None:
    good, bad = cluster.batch(recorded(0)), cluster.batch(recorded(1), meta={"constraint": "nowhere"})
    await cluster.runner.prepare([bad, good])
    answers = await cluster.runner.launch([bad.ref, good.ref])
    assert [answer.outcome for answer in answers] == [Outcome.REFUSED, Outcome.STARTED]
    assert answers[0].reason == "SLURM refuses the batch: Invalid feature specification."
    await cluster.ended(told(good, answers[1]))


async def test_more_than_one_round_trip_holds(cluster: Cluster) -> None:
    batches = [cluster.batch(recorded(number)) for number in range(60)]
    live = await cluster.started(*batches)
    assert [len(names) for names in cluster.transport.exchanges] == [51, 11]
    await cluster.ended(*live, timeout_s=60)
    assert cluster.ran() == sorted(map(str, range(60)))


async def test_the_site_takes_no_more(accounting_cluster: Cluster) -> None:
    cluster = accounting_cluster
    batches = [cluster.batch(recorded(number, "sleep 0.5")) for number in range(5)]
    await cluster.runner.prepare(batches)
    cluster.lab.limit_submissions(2)
    answers = await cluster.runner.launch([batch.ref for batch in batches])
    assert [answer.outcome for answer in answers] == [Outcome.STARTED] * 2 + [Outcome.HELD] * 3
    assert answers[-1].reason.startswith(
        "The site takes no more jobs of yours at the moment: AssocMaxSubmitJob"
    )
    live = [told(batch, answer) for batch, answer in zip(batches, answers, strict=False)][:2]
    waiting = batches[2:]
    async with asyncio.timeout(60):
        while waiting:
            await cluster.look(*live)
            answers = await cluster.runner.launch([batch.ref for batch in waiting])
            live += [
                told(batch, answer)
                for batch, answer in zip(waiting, answers, strict=True)
                if answer.outcome is Outcome.STARTED
            ]
            waiting = waiting[sum(answer.outcome is Outcome.STARTED for answer in answers) :]
            await asyncio.sleep(0.2)
    await cluster.ended(*live)
    assert cluster.ran() == sorted(map(str, range(5)))


async def test_a_folder_that_can_not_be_made(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    blocked = cluster.here(cluster.folder)
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("in the way")
    (answer,) = await cluster.runner.launch([batch.ref])
    assert answer.outcome is Outcome.REFUSED
    assert answer.reason.startswith("The batch can't be launched: its folders can't be made: ")
    assert "Not a directory" in answer.reason
    assert jobs(cluster, batch) == []


async def test_a_script_that_is_gone(cluster: Cluster) -> None:
    batch = cluster.batch(recorded(0))
    await cluster.runner.prepare([batch])
    await cluster.runner.discard(cluster.folder)
    (answer,) = await cluster.runner.launch([batch.ref])
    assert (answer.outcome, answer.reason) == (
        Outcome.REFUSED,
        "Its script is no longer there; launch it again.",
    )
