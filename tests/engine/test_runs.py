"""Runs from launch to verdict, with an engine in the test's own process and real workers."""

import os

import pytest

from runners.engine.asking import RefusedError
from runners.states import State
from runners.store.verdicts import settle
from runners.store.workload import spec_of
from runners.workflow import StepMeta
from tests.conftest import set_slots
from tests.engine.lab import Lab, shell, step
from tests.waiting import until


async def test_every_task_of_a_run_gets_its_verdict(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(shell("test {item} != bad || exit 3"), items=["a", "bad", "[/]", "\x1b[31m"])
        row = await lab.ended(run)
    assert (row.state, row.counts.done, row.counts.failed) == (State.FAILED, 3, 1)
    bad = lab.tasks(run)[1]
    assert (bad.state, bad.exit_code, bad.reason) == (State.FAILED, 3, "exit code 3")
    assert [task.item for task in lab.tasks(run)] == ["a", "bad", "[/]", "\x1b[31m"]
    assert row.started is not None
    assert row.ended is not None
    assert row.started <= row.ended
    (batch,) = lab.batches(run)
    assert (batch.state, batch.worker_state, batch.slots) == (State.FAILED, "bye", 2)
    assert lab.store.slots() == []
    kinds = [event.kind for event in lab.store.events(run)]
    assert kinds[:2] == ["launched", "started"]
    assert kinds[-1] == "ended"
    assert kinds.count("start") == kinds.count("end") == 4


async def test_what_runs_can_be_seen_while_it_runs(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items=["a", "b", "c"])
        await until(lambda: lab.run(run).counts.running == 2)
        assert lab.run(run).state is State.RUNNING
        slots = {(slot.state, slot.task) for slot in lab.store.slots(run)}
        assert slots == {("busy", 0), ("busy", 1)}
        beaten = await until(lambda: [slot for slot in lab.store.slots(run) if slot.cpu_percent is not None])
        assert beaten[0].rss_mb is not None
        assert beaten[0].rss_mb > 0
        status = await lab.client.status()
        assert status is not None
        assert (status.runs, status.batches) == (1, 1)
        lab.open_gate()
        await lab.ended(run)
    assert all(event.kind != "hb" for event in lab.store.events(run))


async def test_steps_run_one_after_the_other(lab: Lab) -> None:
    first = shell("sleep 0.2; echo first {index} >>order", name="First one")
    once = step(
        "sh", "-c", 'echo once >>order; cp "$1" all', "sh", "{args_json}", type="non_parallel", name="All"
    )
    last = shell("echo last {index} >>order", name="Last")
    async with lab.hosted():
        run = await lab.launch(first, once, last, items=["a", "b"])
        assert (await lab.ended(run)).state is State.DONE
    order = (lab.work / "order").read_text().splitlines()
    assert sorted(order[:2]) == ["first 0", "first 1"]
    assert order[2] == "once"
    assert sorted(order[3:]) == ["last 0", "last 1"]
    assert (lab.work / "all").read_text() == '{"items": ["a", "b"]}'
    assert [row.state for row in lab.store.steps(run)] == [State.DONE] * 3
    assert [batch.number for batch in lab.batches(run)] == [0, 1, 2]
    folders = set(os.listdir(lab.run(run).folder))
    assert folders == {"0_first_one", "1_all", "2_last"}


async def test_a_step_that_fails_keeps_the_later_ones_from_starting(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(
            shell("test {item} = a", name="one"), shell(lab.appends(), name="two"), items=["a", "b"]
        )
        assert (await lab.ended(run)).state is State.FAILED
    assert lab.states(run) == ["done", "failed", "cancelled", "cancelled"]
    assert lab.tasks(run)[2].reason == "step 1 'one' failed"
    assert [row.state for row in lab.store.steps(run)] == [State.FAILED, State.CANCELLED]
    assert lab.ran() == []


async def test_retry_runs_only_what_is_not_done_with_its_own_index(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(
            shell(f"{lab.appends()}; test {{item}} != bad || test -e fixed", name="one"),
            shell(lab.appends(), name="two"),
            items=["a", "bad", "b", "bad"],
        )
        await lab.ended(run)
        assert sorted(lab.ran()) == [0, 1, 2, 3]
        (lab.work / "ran").unlink()
        (lab.work / "fixed").touch()
        again = await lab.retry(run)
        assert (await lab.ended(again)).state is State.DONE
        assert sorted(lab.ran()[:2]) == [1, 3]
        assert sorted(lab.ran()[2:]) == [0, 1, 2, 3]
        assert lab.run(again).retry_of == run
        assert lab.run(again).name == "test-retry"
        with pytest.raises(RefusedError, match="nothing to retry"):
            await lab.retry(again)
    assert [task.item for task in lab.tasks(again)] == ["bad", "bad", "a", "bad", "b", "bad"]
    assert lab.run(run).state is State.FAILED


async def test_a_retry_with_more_keeps_it_for_the_next(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(
            shell("true", name="done", meta={"time": 50}),
            shell(
                "test -e fixed || exec sleep 60", name="late", meta={"time": 1, "parallel_tasks_per_job": 1}
            ),
            items=["a", "b"],
        )
        await lab.ended(run)
        assert [task.reason for task in lab.tasks(run)] == ["", "", *2 * ["time limit of 1 s reached"]]
        again = await lab.retry(run, time=2, mem=1, cpus_per_task=1)
        await lab.ended(again)
        assert [task.reason for task in lab.tasks(again)] == 2 * ["time limit of 2 s reached"]
        (lab.work / "fixed").touch()
        last = await lab.retry(again, mem=3)
        assert (await lab.ended(last)).state is State.DONE
        with pytest.raises(RefusedError, match="nothing to retry"):
            await lab.retry(last, mem=3)
    done, late = spec_of(lab.store, last).workflow.steps
    # What is not run again stays as it was, and so does what nobody said anything of.
    assert done.meta == StepMeta(time=50)
    assert late.meta == StepMeta(cpus_per_task=1, mem=3, time=2, parallel_tasks_per_job=1)


async def test_retries_are_told_apart_by_their_names(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(shell("false"), name="it", items=["a"])
        long = await lab.launch(shell("false"), name="x" * 100, items=["a"])
        names = []
        for of in (run, run, "last", long):
            first = lab.store.find_run(of).id
            await lab.ended(first)
            names.append((await lab.ended(await lab.retry(first))).name)
    assert names == ["it-retry", "it-retry-2", "it-retry-3", "x" * 94 + "-retry"]


async def test_a_run_that_has_not_ended_is_not_retried(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items=["a"])
        with pytest.raises(RefusedError, match="has not ended"):
            await lab.retry(run)
        lab.open_gate()
        await lab.ended(run)


async def test_cancelling_a_task_leaves_its_neighbours_alone(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items="abcd")
        await until(lambda: len(lab.ran()) == 2)
        await lab.cancel(run, 0)
        await lab.cancel(run, 3)
        await until(lambda: lab.states(run)[0] == lab.states(run)[3] == "cancelled")
        with pytest.raises(RefusedError, match=r"Task 0 of run .* has ended already: it is cancelled"):
            await lab.cancel(run, 0)
        lab.open_gate()
        row = await lab.ended(run)
    assert lab.states(run) == ["cancelled", "done", "done", "cancelled"]
    assert sorted(lab.ran()) == [0, 1, 2]
    assert row.state is State.CANCELLED


async def test_cancelling_a_batch_ends_all_of_it_that_has_not_ended(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items="abcd")
        await until(lambda: len(lab.ran()) == 2)
        with pytest.raises(RefusedError, match=r"has no batch 7; it has 1 so far"):
            await lab.cancel(run, batch=7)
        await lab.cancel(run, batch=0)
        row = await lab.ended(run)
    assert lab.states(run) == ["cancelled"] * 4
    assert sorted(lab.ran()) == [0, 1]
    assert row.state is State.CANCELLED
    assert not any(task.cancelling for task in lab.tasks(run))


async def test_a_task_of_a_later_step_is_cancelled_at_once(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), shell("true", name="two"), items="ab")
        await lab.cancel(run, 3)
        assert lab.states(run)[3] == "cancelled"
        lab.open_gate()
        await lab.ended(run)
    assert lab.states(run) == ["done", "done", "done", "cancelled"]


async def test_cancelling_a_run_ends_all_of_it(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), shell("true", name="two"), items="abc")
        await until(lambda: len(lab.ran()) == 2)
        await lab.cancel(run)
        row = await lab.ended(run)
        with pytest.raises(RefusedError, match="has ended already"):
            await lab.cancel(run)
    assert row.state is State.CANCELLED
    assert set(lab.states(run)) == {"cancelled"}
    assert not row.cancelling
    assert len(lab.ran()) == 2


async def test_a_run_that_is_cancelled_is_cancelled_whatever_had_failed_before(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(shell("test {item} != bad && sleep 60"), items=["bad", "a", "b", "c"])
        await until(lambda: lab.states(run)[0] == "failed" and lab.run(run).counts.running == 2)
        await lab.cancel(run)
        row = await lab.ended(run)
        # A task that is told of again changes nothing.
        with lab.store.change() as change:
            settle(change, run, now=1.0)
    assert (row.state, row.reason) == (State.CANCELLED, "1 of 4 tasks had failed")
    assert lab.run(run).state is State.CANCELLED
    assert lab.states(run) == ["failed", "cancelled", "cancelled", "cancelled"]


async def test_no_limit_means_as_many_slots_as_tasks(lab: Lab) -> None:
    set_slots(lab.home, None)
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items="abcde")
        await until(lambda: len(lab.ran()) == 5)
        lab.open_gate()
        await lab.ended(run)
    assert lab.batches(run)[0].slots == 5


async def test_logs_are_read_through_the_engine(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(shell("echo {item}"), items=["hello"])
        await lab.ended(run)
        chunk = await lab.client.read_log(run, 0, -4, 100)
    assert (chunk.data, chunk.offset, chunk.size) == (b"llo\n", 2, 6)


async def test_results_and_time_limits(lab: Lab) -> None:
    script = 'case "$1" in slow) sleep 30;; text) echo no >"$2";; *) printf "[1, 2]" >"$2";; esac'
    async with lab.hosted():
        run = await lab.launch(
            step("sh", "-c", script, "sh", "{item}", "{out_json}", meta={"time": 1}),
            items=["list", "text", "slow"],
        )
        await lab.ended(run)
    listed, text, slow = lab.tasks(run)
    assert (listed.state, listed.result) == (State.DONE, "[1, 2]")
    assert (text.state, text.reason) == (State.FAILED, "bad result")
    assert (slow.state, slow.reason) == (State.FAILED, "time limit of 1 s reached")
