"""Runs that wait: for room, for an answer, for their resource; and others, that are not held up by them."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest

from runners.batches import BatchRef, Launched, Outcome, Report, RunnerError, Watched
from runners.config.files import add_resource, read_resource
from runners.local import LocalRunner
from runners.states import State
from tests.engine.lab import Lab, shell, step
from tests.waiting import until

Verb = Callable[..., Awaitable[object]]


def add_twin(lab: Lab, name: str, **changes: object) -> None:
    """A second resource for this machine."""
    resource = read_resource(lab.home.resources, "local").value
    add_resource(lab.home.resources, name, resource.model_copy(update={"name": name, **changes}))


def answer_instead(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, is_meant: Callable[[BatchRef], bool], *, times: int
) -> list[str]:
    """Have the first launches of batches that are meant come out like this; returns the tokens, growing."""
    launch = LocalRunner.launch
    asked: list[str] = []

    async def answered(self: LocalRunner, batches: Sequence[BatchRef]) -> Sequence[Launched]:
        answers = []
        for batch in batches:
            if is_meant(batch) and asked.count(batch.token) < times:
                asked.append(batch.token)
                answers.append(Launched(batch.token, outcome, reason=f"It is {outcome}."))
            else:
                answers += await launch(self, [batch])
        return answers

    monkeypatch.setattr(LocalRunner, "launch", answered)
    return asked


@pytest.mark.parametrize(
    ("outcome", "state"), [(Outcome.HELD, State.PENDING), (Outcome.UNKNOWN, State.UNKNOWN)]
)
async def test_a_batch_that_could_not_start_waits_with_the_reason_and_is_launched_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, state: State
) -> None:
    asked = answer_instead(monkeypatch, outcome, lambda _: True, times=1)
    async with lab.hosted():
        run = await lab.launch(shell(lab.appends()), items="abc")
        assert await until(lambda: lab.run(run).reason) == f"It is {outcome}."
        (batch,) = lab.batches(run)
        assert (batch.state, batch.reason, batch.native_id) == (state, f"It is {outcome}.", "")
        row = await lab.ended(run)
    assert (row.state, row.reason, lab.batches(run)[0].reason) == (State.DONE, "", "")
    assert sorted(lab.ran()) == [0, 1, 2]
    assert len(asked) == 1


async def test_what_waits_for_room_is_launched_as_soon_as_a_batch_of_the_same_place_ends(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.engine.supervising._FIRST_PAUSE_S", 60.0)
    add_twin(lab, "twin")
    async with lab.hosted():
        first = await lab.launch(lab.gated(), items="a")
        await until(lambda: lab.ran())
        answer_instead(monkeypatch, Outcome.HELD, lambda batch: first not in batch.token, times=1)
        second = await lab.launch(shell(lab.appends()), items="a", resource="twin")
        await until(lambda: lab.run(second).reason)
        lab.open_gate()
        await lab.ended(first)
        assert (await lab.ended(second, 5.0)).state is State.DONE


async def test_a_task_that_is_cancelled_while_its_batch_waits_never_runs(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_instead(monkeypatch, Outcome.HELD, lambda _: True, times=1)
    async with lab.hosted():
        run = await lab.launch(shell(lab.appends()), items="abc")
        await until(lambda: lab.run(run).reason)
        await lab.cancel(run, 1)
        await lab.ended(run)
    assert lab.states(run) == ["done", "cancelled", "done"]
    assert sorted(lab.ran()) == [0, 2]


@pytest.mark.parametrize("outcome", [Outcome.HELD, Outcome.UNKNOWN])
async def test_a_run_that_waits_can_be_cancelled(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    answer_instead(monkeypatch, outcome, lambda _: True, times=1000)
    async with lab.hosted():
        run = await lab.launch(shell(lab.appends()), items="abc")
        await until(lambda: lab.run(run).reason)
        await lab.cancel(run)
        row = await lab.ended(run)
    assert (row.state, row.reason) == (State.CANCELLED, "")
    assert lab.ran() == []


async def test_cancels_are_kept_while_their_resource_is_out_of_reach(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = LocalRunner.cancel
    down = asyncio.Event()
    down.set()

    async def refused(self: LocalRunner, batch: BatchRef, tasks: Sequence[int] | None = None) -> bool:
        if down.is_set():
            raise RunnerError("It is out of reach.")
        return await cancel(self, batch, tasks)

    monkeypatch.setattr(LocalRunner, "cancel", refused)
    async with lab.hosted():
        one = await lab.launch(lab.gated(), items="ab")
        whole = await lab.launch(lab.gated(), items="ab")
        await until(lambda: len(lab.ran()) == 4)
        await lab.cancel(one, 0)
        await lab.cancel(whole)
        await until(lambda: lab.run(one).reason == lab.run(whole).reason == "It is out of reach.")
        assert lab.tasks(one)[0].cancelling
        assert lab.run(whole).cancelling
    # An engine of its own has to go on with it.
    async with lab.hosted():
        await until(lambda: not down.is_set() or lab.run(one).reason)
        down.clear()
        assert (await lab.ended(whole)).state is State.CANCELLED
        await until(lambda: lab.states(one)[0] == "cancelled")
        lab.open_gate()
        await lab.ended(one)
    assert lab.states(one) == ["cancelled", "done"]
    assert not lab.tasks(one)[0].cancelling


async def test_tasks_that_a_batch_had_no_time_for_get_another_one(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items="abcdef")
        await until(lambda: lab.run(run).counts.running == 2)
        (plan,) = lab.store.steps(run)
        (await lab.claimed(run)).signal(signal.SIGUSR2)
        await asyncio.sleep(0.1)
        lab.open_gate()
        row = await lab.ended(run)
    assert (row.state, row.counts.done) == (State.DONE, 6)
    assert sorted(lab.ran()) == list(range(6))
    assert [batch.counts.done for batch in lab.batches(run)] == [2, 4]
    assert lab.store.steps(run)[0].plan == plan.plan != ""


async def test_a_resource_that_does_not_answer_holds_up_no_other(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_twin(lab, "deaf", jobs_local_dir=str(lab.home.jobs / "deaf"))

    def deaf_or(original: Verb) -> Verb:
        async def verb(self: LocalRunner, *others: object) -> object:
            return await (asyncio.Future() if self.jobs_folder.endswith("deaf") else original(self, *others))

        return verb

    for name in ("launch", "cancel", "read_log"):
        monkeypatch.setattr(LocalRunner, name, deaf_or(getattr(LocalRunner, name)))
    async with lab.hosted():
        deaf = await lab.launch(step("true"), items="a", resource="deaf")
        await lab.cancel(deaf, 0)
        other = asyncio.create_task(lab.client.read_log(deaf, 0, 0, 10))
        run = await lab.launch(step("true"), items="ab")
        assert (await lab.ended(run, 5.0)).state is State.DONE
        assert (await lab.client.read_log(run, 0, 0, 10)).data == b""
        other.cancel()
    assert lab.run(deaf).state is State.PENDING


async def test_resources_of_one_place_are_watched_together(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    add_twin(lab, "twin")
    poll = LocalRunner.poll
    looks: list[set[str]] = []

    async def counted(self: LocalRunner, batches: Sequence[Watched]) -> Sequence[Report]:
        looks.append({watched.batch.token for watched in batches})
        return await poll(self, batches)

    monkeypatch.setattr(LocalRunner, "poll", counted)
    async with lab.hosted():
        runs = [await lab.launch(lab.gated(), items="a", resource=name) for name in ("local", "twin")]
        await until(lambda: len(lab.ran()) == 2)
        tokens = {batch.token for run in runs for batch in lab.batches(run)}
        looks.clear()
        await until(lambda: len(looks) == 3)
        assert looks == [tokens] * 3
        found = {(row.resource, row.place, row.up) for row in lab.store.places()}
        assert found == {("local", "local", True), ("twin", "local", True)}
        lab.open_gate()
        for run in runs:
            await lab.ended(run)


async def test_where_nobody_watches_looks_become_rare(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.engine.engine._ATTENDED_S", 0.0)
    monkeypatch.setattr("runners.engine.watching._CHEAP_S", 0.0)
    poll = LocalRunner.poll
    looks = 0

    async def counted(self: LocalRunner, batches: Sequence[Watched]) -> Sequence[Report]:
        nonlocal looks
        looks += 1
        return await poll(self, batches)

    monkeypatch.setattr(LocalRunner, "poll", counted)
    async with lab.hosted():
        await lab.ended(await lab.launch(step("sleep", "0.1"), items=map(str, range(40))))
    # It takes 2 s and something moves all the time: every tenth of a second it would be 20.
    assert looks <= 13


async def test_looks_that_fail_are_told_of_and_tried_less_often(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = LocalRunner.poll
    failed = 0

    async def failing(self: LocalRunner, batches: Sequence[Watched]) -> Sequence[Report]:
        nonlocal failed
        if failed < 3:
            failed += 1
            raise RunnerError("It is out of reach.")
        return await poll(self, batches)

    monkeypatch.setattr(LocalRunner, "poll", failing)
    async with lab.hosted():
        began = time.monotonic()
        row = await lab.ended(await lab.launch(shell(lab.appends()), items="ab"))
    # Pauses of twice, four times and eight times the shortest one, which is a tenth of a second.
    assert time.monotonic() - began > 1.4
    assert row.state is State.DONE
    assert sorted(lab.ran()) == [0, 1]
