"""Nothing is lost: engines, coordinators and agents are killed; every task runs once and has one verdict."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from runners.batches import BatchRef, Launched, RunnerError
from runners.engine.client import engine_alive
from runners.local import LocalRunner
from runners.requests import CancelRequest, LaunchRequest, RequestKind
from runners.states import RequestState, State
from tests.engine.lab import Lab, alive, shell
from tests.waiting import until

TASKS = [str(number) for number in range(12)]


async def test_a_request_made_without_an_engine_is_carried_out_by_the_next(lab: Lab) -> None:
    request = lab.request(shell(lab.appends()), items=TASKS)
    number = lab.leave(RequestKind.LAUNCH, request)
    async with lab.hosted():
        assert (await lab.ended(request.run)).state is State.DONE
    row = lab.store.request(number)
    assert row is not None
    assert (row.state, row.payload) == (RequestState.DONE, {})
    assert sorted(lab.ran()) == list(range(12))


async def test_the_same_request_twice_is_one_run(lab: Lab) -> None:
    request = lab.request(shell(lab.appends()), items=TASKS)
    lab.leave(RequestKind.LAUNCH, request)
    lab.leave(RequestKind.LAUNCH, request)
    async with lab.hosted():
        assert (await lab.ended(request.run)).state is State.DONE
        await until(lambda: not lab.store.waiting_requests())
    assert sorted(lab.ran()) == list(range(12))


async def test_a_launch_interrupted_before_its_rows_were_kept_finds_what_it_had_made(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = lab.request(shell(lab.appends()), items=TASKS)
    reached = asyncio.Event()

    async def hang(_: object, run: str, *others: object, **more: object) -> str:
        reached.set()
        return await asyncio.Future()

    with monkeypatch.context() as patch:
        patch.setattr("runners.engine.storing.Store.change", hang)
        lab.leave(RequestKind.LAUNCH, request)
        async with lab.hosted():
            await reached.wait()
    made = sorted(lab.home.jobs.rglob("tasks.jsonl"))
    assert len(made) == 1
    assert lab.store.runs() == []
    async with lab.hosted():
        assert (await lab.ended(request.run)).state is State.DONE
    assert sorted(lab.home.jobs.rglob("tasks.jsonl")) == made
    assert sorted(lab.ran()) == list(range(12))


async def interrupt_launch(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, request: LaunchRequest, *, launched: bool
) -> None:
    """Host an engine that ends in the middle of a launch: before the runner has launched, or right after."""
    reached = asyncio.Event()
    launch = LocalRunner.launch

    async def interrupted(self: LocalRunner, batches: Sequence[BatchRef]) -> Sequence[Launched]:
        if launched:
            await launch(self, batches)
        reached.set()
        return await asyncio.Future()

    with monkeypatch.context() as patch:
        patch.setattr(LocalRunner, "launch", interrupted)
        lab.leave(RequestKind.LAUNCH, request)
        async with lab.hosted():
            await reached.wait()


@pytest.mark.parametrize("launched", [False, True], ids=["before the launch", "before its answer was kept"])
async def test_an_engine_that_ends_in_the_middle_of_a_launch(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, launched: bool
) -> None:
    request = lab.request(shell(lab.appends()), items=TASKS)
    await interrupt_launch(lab, monkeypatch, request, launched=launched)
    (batch,) = lab.batches(request.run)
    assert batch.native_id == ""
    assert {task.batch for task in lab.tasks(request.run)} == {batch.token}
    async with lab.hosted():
        assert (await lab.ended(request.run)).state is State.DONE
    assert sorted(lab.ran()) == list(range(12))


@pytest.mark.parametrize("launched", [False, True], ids=["never launched", "launched, but nobody knew"])
async def test_a_run_cancelled_after_an_interrupted_launch(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, launched: bool
) -> None:
    request = lab.request(lab.gated(), items=TASKS)
    await interrupt_launch(lab, monkeypatch, request, launched=launched)
    lab.leave(RequestKind.CANCEL, CancelRequest(run=request.run))
    async with lab.hosted():
        row = await lab.ended(request.run)
    assert row.state is State.CANCELLED
    assert set(lab.states(request.run)) == {"cancelled"}
    assert len(lab.ran()) <= 2 * launched


async def test_a_launch_that_gives_no_answer_is_tried_again_and_harms_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = LocalRunner.launch
    tries = 0

    async def lost(self: LocalRunner, batches: Sequence[BatchRef]) -> Sequence[Launched]:
        nonlocal tries
        answers = await launch(self, batches)
        tries += 1
        if tries == 1:
            raise RunnerError("The answer is lost.")
        return answers

    monkeypatch.setattr(LocalRunner, "launch", lost)
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items=TASKS)
        assert await until(lambda: lab.run(run).reason) == "The answer is lost."
        lab.open_gate()
        row = await lab.ended(run)
    assert (row.state, row.reason, tries) == (State.DONE, "", 2)
    assert sorted(lab.ran()) == list(range(12))


@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.1, 0.2])
async def test_an_engine_killed_at_any_moment_of_a_launch(lab: Lab, delay_s: float) -> None:
    await lab.start_engine()
    request = lab.request(shell(f"{lab.appends()}; sleep 0.02"), items=TASKS)
    lab.leave(RequestKind.LAUNCH, request)
    await lab.client.wake()
    await asyncio.sleep(delay_s)
    await lab.kill_engine()
    await lab.start_engine()
    assert (await lab.ended(request.run)).state is State.DONE
    assert sorted(lab.ran()) == list(range(12))


async def test_an_engine_killed_when_half_is_done_and_again_when_all_is_done(lab: Lab) -> None:
    await lab.start_engine()
    run = await lab.launch(
        shell(f"{lab.appends()}; while test {{index}} -ge 6 -a ! -e gate; do sleep 0.02; done"), items=TASKS
    )
    await until(lambda: lab.run(run).counts.done == 6)
    await lab.kill_engine()
    await lab.start_engine()
    await until(lambda: lab.run(run).counts.running == 2)
    await lab.kill_engine()
    lab.open_gate()
    await until(lambda: len(lab.ran()) == 12)
    await lab.start_engine()
    row = await lab.ended(run)
    assert (row.state, row.counts.done) == (State.DONE, 12)
    assert sorted(lab.ran()) == list(range(12))
    seqs = [event.kind for event in lab.store.events(run)]
    assert seqs.count("start") == seqs.count("end") == 12


async def test_a_killed_coordinator_fails_what_was_not_done_and_retry_runs_only_that(lab: Lab) -> None:
    script = f"{lab.appends()}; while test {{index}} -ge 6 -a ! -e gate; do sleep 0.02; done"
    async with lab.hosted():
        run = await lab.launch(shell(script), items=TASKS)
        await until(lambda: lab.run(run).counts.running == 2 and lab.run(run).counts.done == 6)
        (await lab.claimed(run)).signal(signal.SIGKILL)
        row = await lab.ended(run)
        assert (row.state, row.counts.done, row.counts.failed) == (State.FAILED, 6, 6)
        assert row.reason == "worker died"
        reasons = [task.reason for task in lab.tasks(run)[6:]]
        assert reasons == ["worker died"] * 2 + ["worker died before this task started"] * 4
        (batch,) = lab.batches(run)
        assert (batch.state, batch.worker_state, batch.reason) == (State.FAILED, "lost", "worker died")
        assert lab.store.slots() == []
        (lab.work / "ran").unlink()
        lab.open_gate()
        again = await lab.retry(run)
        assert (await lab.ended(again)).state is State.DONE
    assert sorted(lab.ran()) == list(range(6, 12))


async def test_a_coordinator_killed_while_no_engine_is_there(lab: Lab) -> None:
    await lab.start_engine()
    script = f"echo $$ >>{lab.work}/pids; {lab.appends()}; exec setsid -w sleep 60"
    run = await lab.launch(shell(script), items=TASKS)
    await until(lambda: len(lab.ran()) == 2)
    await lab.kill_engine()
    (await lab.claimed(run)).signal(signal.SIGKILL)
    await lab.start_engine()
    assert (await lab.ended(run)).counts.failed == 12
    pids = [int(pid) for pid in (lab.work / "pids").read_text().split()]
    await until(lambda: not any(alive(pid) for pid in pids))


async def test_a_killed_agent_costs_its_task_only(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items=TASKS)
        await until(lambda: lab.run(run).counts.running == 2)
        killed = lab.store.slots(run)[0]
        assert killed.pid is not None
        os.kill(killed.pid, signal.SIGKILL)
        await until(lambda: lab.run(run).counts.failed == 1)
        lab.open_gate()
        row = await lab.ended(run)
    assert (row.counts.done, row.counts.failed) == (11, 1)
    assert killed.task is not None
    assert lab.tasks(run)[killed.task].reason == "slot agent died (killed by SIGKILL)"
    assert sorted(lab.ran()) == list(range(12))


async def test_stopping_an_engine_gently_cancels_nothing(lab: Lab) -> None:
    pid = await lab.start_engine()
    run = await lab.launch(lab.gated(), items=TASKS)
    await until(lambda: len(lab.ran()) == 2)
    os.kill(pid, signal.SIGTERM)
    await until(lambda: not alive(pid))
    assert "has ended" in lab.home.engine_log.read_text().splitlines()[-1]
    lab.open_gate()
    await until(lambda: len(lab.ran()) == 12)
    await lab.start_engine()
    assert (await lab.ended(run)).state is State.DONE
    assert await lab.client.stop()
    assert not await lab.client.stop()
    assert not engine_alive(lab.home)


async def test_of_several_engines_one_stays(lab: Lab) -> None:
    command = (sys.executable, "-m", "runners.engine")
    engines = [await asyncio.create_subprocess_exec(*command, cwd="/") for _ in range(3)]
    try:
        await until(lambda: [engine for engine in engines if engine.returncode is not None][1:])
        status = await lab.client.status()
        assert status is not None
        assert [engine.returncode for engine in engines if engine.pid != status.pid] == [0, 0]
        run = await lab.launch(shell(lab.appends()), items=TASKS)
        await lab.ended(run)
    finally:
        for engine in engines:
            if engine.returncode is None:
                engine.terminate()
    assert [await engine.wait() for engine in engines] == [0, 0, 0]
    said = lab.home.engine_log.read_text()
    assert said.count(f"Another engine is running already: pid {status.pid} on") == 2
    assert sorted(lab.ran()) == list(range(12))


async def test_a_cancel_made_without_an_engine_is_carried_out_by_the_next(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items=TASKS)
        await until(lambda: len(lab.ran()) == 2)
    lab.leave(RequestKind.CANCEL, CancelRequest(run=run))
    async with lab.hosted():
        assert (await lab.ended(run)).state is State.CANCELLED
    assert len(lab.ran()) == 2


async def test_corrupt_event_lines_are_kept_as_events_and_cost_at_most_their_task(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items=TASKS)
        await until(lambda: lab.run(run).counts.running == 2)
        file = Path(lab.batches(run)[0].folder) / "events.0.jsonl"
        with file.open("ab") as events:
            events.write(b'{"s":3,"t":1,"e":"end","i":4,"state":"gone"}\n\x00\xff nonsense\n')
        await until(lambda: [event for event in lab.store.events(run) if event.kind == "corrupt"][1:])
    lab.open_gate()
    await until(lambda: b'"bye"' in file.read_bytes())
    lines = file.read_bytes().splitlines(keepends=True)
    (lost,) = [line for line in lines if b'"e":"end"' in line and b'"i":7,' in line]
    file.write_bytes(file.read_bytes().replace(lost, b"x" * (len(lost) - 1) + b"\n"))
    async with lab.hosted():
        row = await lab.ended(run)
    assert (row.counts.done, row.counts.failed) == (11, 1)
    assert lab.tasks(run)[7].reason == "the worker's report of it is lost"


async def test_a_worker_that_cannot_be_seen_is_unknown_until_it_is_heard(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.engine.taking_in._SILENCE_S", 0.1)
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items=TASKS)
        await until(lambda: lab.run(run).counts.running == 2)
    claim = Path(lab.batches(run)[0].folder) / "claim"
    own = claim.read_text()
    claim.write_text(own.replace(f'"{os.uname().nodename}"', '"elsewhere"'))
    try:
        async with lab.hosted():
            await until(lambda: lab.run(run).state is State.UNKNOWN)
            assert lab.states(run).count("unknown") == 2
            assert lab.batches(run)[0].state is State.UNKNOWN
            lab.open_gate()
            assert (await lab.ended(run)).state is State.DONE
    finally:
        claim.write_text(own)
    assert sorted(lab.ran()) == list(range(12))
