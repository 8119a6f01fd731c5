"""Bad requests: one clear sentence, and nothing left behind."""

import json
import os
import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import BaseModel, ConfigDict

from runners.batches import BatchSpec
from runners.config.files import read_resource, write_resource
from runners.config.places import resource_path
from runners.engine.asking import RefusedError, ask
from runners.engine.client import EngineError
from runners.local import LocalRunner
from runners.requests import CancelRequest, LaunchRequest, RequestKind, RetryRequest
from runners.states import RequestState, State
from runners.store.writer import Change, Writer
from tests.clusters import add_cluster
from tests.engine.lab import Lab, fill, shell, step
from tests.waiting import until


def unknown_resource(lab: Lab) -> LaunchRequest:
    return lab.request(step("true"), items="a", resource="nowhere")


def broken_resource(lab: Lab) -> LaunchRequest:
    resource_path(lab.home.resources, "local").write_text('{"type": "local"')
    return lab.request(step("true"), items="a")


def closed_resource(lab: Lab) -> LaunchRequest:
    change_resource(lab, prevent_new_submissions=True)
    return lab.request(step("true"), items="a")


def cluster_without_a_profile(lab: Lab) -> LaunchRequest:
    add_cluster(lab.home, "cluster", "slurm_sudo")
    return lab.request(step("true"), items="a", resource="cluster")


def unknown_profile(lab: Lab) -> LaunchRequest:
    add_cluster(lab.home, "cluster", "slurm_ssh")
    return lab.request(step("true"), items="a", resource="cluster", profile="you")


def unknown_user(lab: Lab) -> LaunchRequest:
    add_cluster(lab.home, "cluster", "slurm_sudo", user="nosuchuser")
    return lab.request(step("true"), items="a", resource="cluster", profile="me")


def jobs_folder_in_the_way(lab: Lab) -> LaunchRequest:
    (lab.work / "file").touch()
    change_resource(lab, jobs_local_dir=str(lab.work / "file" / "jobs"))
    return lab.request(step("true"), items="a")


def no_workdir(lab: Lab) -> LaunchRequest:
    return lab.request(step("true"), items="a", workdir=str(lab.work / "none"))


def no_items(lab: Lab) -> LaunchRequest:
    return lab.request(step("true", name="measure"))


def unknown_placeholder(lab: Lab) -> LaunchRequest:
    return lab.request(step("echo", "{itme}"), items="a")


def unknown_placeholder_in_a_later_step(lab: Lab) -> LaunchRequest:
    return lab.request(step("true"), step("echo", "{itme}"), items="a")


def change_resource(lab: Lab, **values: object) -> None:
    stored = read_resource(lab.home.resources, "local")
    changed = stored.value.model_copy(update=values)
    write_resource(lab.home.resources, "local", changed, stored.fingerprint)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (unknown_resource, r"There is no resource named nowhere; there are: local\."),
        (broken_resource, r"resource\.json.* is not valid JSON|resource\.json.*line 1"),
        (
            closed_resource,
            r"takes no new work at the moment \(prevent_new_submissions in '.*resource\.json'\).*"
            r"\(runyard resource set local prevent_new_submissions=false\)\.$",
        ),
        (cluster_without_a_profile, r"The resource 'cluster' needs a profile; name one of its own\."),
        (unknown_profile, r"There is no profile of the resource cluster named you; there are: me\."),
        (unknown_user, r"There is no user 'nosuchuser' on this machine; correct the profile\."),
        (
            jobs_folder_in_the_way,
            r"The run can't be set up: the folder '.*' can't be made: '.*file' is there and is no folder\.",
        ),
        (no_workdir, r"The folder to work in, '.*none', is not there; make it, or name another one\."),
        (no_items, r"There is nothing to run: step 'measure' has no items; give it some\."),
        (unknown_placeholder, r"\{itme\} is no placeholder"),
        (unknown_placeholder_in_a_later_step, r"\{itme\} is no placeholder"),
    ],
)
async def test_a_launch_that_cannot_be(lab: Lab, make: Callable[[Lab], LaunchRequest], sentence: str) -> None:
    request = make(lab)
    async with lab.hosted():
        with pytest.raises(RefusedError) as refused:
            await ask(lab.home, RequestKind.LAUNCH, request)
        # The engine itself is none the worse for it.
        assert await lab.client.status() is not None
    text = str(refused.value)
    assert re.search(sentence, text)
    assert text.endswith(".")
    assert "\n" not in text
    assert lab.store.runs() == []
    assert os.listdir(lab.home.jobs) == []


async def test_runs_and_tasks_that_are_not_there(lab: Lab) -> None:
    async with lab.hosted():
        run = await lab.launch(shell("true"), items="ab")
        with pytest.raises(RefusedError, match="There is no run 'nosuchid'"):
            await ask(lab.home, RequestKind.CANCEL, CancelRequest(run="nosuchid"))
        with pytest.raises(RefusedError, match="There is no run 'nosuchid'"):
            await ask(lab.home, RequestKind.RETRY, RetryRequest(run="new", of="nosuchid"))
        run = await lab.launch(lab.gated(), items="ab")
        with pytest.raises(RefusedError, match="has no task 7: its tasks are 0 to 1"):
            await lab.cancel(run, 7)
        lab.open_gate()
        await lab.ended(run)


async def test_a_request_that_makes_no_sense_does_not_hold_up_the_others(lab: Lab) -> None:
    lab.store.add_request("dance", "{}")
    lab.store.add_request("launch", '{"run": 3}')
    async with lab.hosted():
        run = await lab.launch(shell("true"), items="a")
        await lab.ended(run)
    first, second = lab.store.request(1), lab.store.request(2)
    assert first is not None
    assert second is not None
    assert first.answer == (
        "The engine that is running is older than this Runyard, and does not know requests of the kind "
        "dance; stop it with `runyard engine stop` (what runs goes on), and try again."
    )
    assert second.answer.startswith("The request can't be carried out: ")


class RetryOfBefore(BaseModel):
    """What engines took before a retry could change what tasks need."""

    model_config = ConfigDict(extra="forbid")

    run: str
    of: str


async def test_a_plain_retry_is_one_that_an_older_engine_knows(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    add = Writer.add_request

    def seen(writer: Writer, kind: str, payload: str) -> int:
        # Once it is answered, the payload is no longer kept.
        asked.append(payload)
        return add(writer, kind, payload)

    monkeypatch.setattr(Writer, "add_request", seen)
    async with lab.hosted():
        run = await lab.launch(shell("false"), items="a")
        await lab.ended(run)
        again = await lab.retry(run)
        await lab.ended(again)
        more = await lab.retry(run, mem=100)
        await lab.ended(more)
    assert RetryOfBefore.model_validate_json(asked[1]) == RetryOfBefore(run=again, of=run)
    assert json.loads(asked[2]) == {"run": more, "of": run, "needs": {"mem": 100}}


async def test_an_engine_that_is_older_than_who_asks_says_so(lab: Lab) -> None:
    lab.store.add_request("retry", '{"run": "new", "of": "old", "needs": {"sheep": null}}')
    async with lab.hosted():
        await until(lambda: (row := lab.store.request(1)) and row.state is RequestState.REFUSED)
    row = lab.store.request(1)
    assert row is not None and row.answer == (
        "The engine that is running is older than this Runyard, and does not know needs.sheep; "
        "stop it with `runyard engine stop` (what runs goes on), and try again."
    )


async def test_a_launch_onto_a_full_disk_is_refused_and_leaves_nothing(lab: Lab, small_disk: Path) -> None:
    change_resource(lab, jobs_local_dir=str(small_disk))
    async with lab.hosted():
        with pytest.raises(RefusedError, match=r"tasks\.jsonl' can't be written: No space left on device\.$"):
            await lab.launch(step("echo", "{item}"), items=(f"{number:0100d}" for number in range(5000)))
        assert os.listdir(small_disk) == []
        assert lab.store.runs() == []
        run = await lab.launch(step("true"), items="abc")
        assert (await lab.ended(run)).state is State.DONE


async def test_a_disk_that_is_full_for_a_while_loses_nothing(lab: Lab, small_disk: Path) -> None:
    change_resource(lab, jobs_local_dir=str(small_disk))
    second = shell("cat {args_json}", args={"text": "x" * 100_000}, name="two")
    async with lab.hosted():
        run = await lab.launch(lab.gated(), second, items="abcd")
        await until(lambda: len(lab.ran()) == 2)
        filling = small_disk / "filling"
        fill(filling)
        lab.open_gate()
        assert "No space left on device" in await until(lambda: lab.run(run).reason)
        filling.unlink()
        row = await lab.ended(run)
    assert row.reason == ""
    assert row.counts.total == row.counts.ended == 8


async def test_a_request_taken_back_while_it_is_carried_out_leaves_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = lab.request(step("true"), items="abc")
    prepare = LocalRunner.prepare

    async def slow(self: LocalRunner, batches: Sequence[BatchSpec]) -> None:
        await prepare(self, batches)
        lab.store.withdraw_request(number)

    number = lab.leave(RequestKind.LAUNCH, request)
    with monkeypatch.context() as patch:
        patch.setattr(LocalRunner, "prepare", slow)
        async with lab.hosted():
            await until(lambda: lab.store.request(number) is None and not os.listdir(lab.home.jobs))
            # The engine itself is none the worse for it.
            patch.undo()
            await lab.ended(await lab.launch(step("true"), items="a"))
    assert len(lab.store.runs()) == 1


@pytest.mark.parametrize("also_the_way_back", [False, True])
async def test_a_store_that_is_full_is_told_of_while_it_is(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, also_the_way_back: bool
) -> None:
    monkeypatch.setattr("runners.engine.asking._PATIENCE_S", 0.1)

    def full(*_: object) -> NoReturn:
        raise sqlite3.OperationalError("database or disk is full")

    request = lab.request(step("true"), items="abc")
    async with lab.hosted():
        with monkeypatch.context() as patch:
            patch.setattr(Change, "add_tasks", full)
            if also_the_way_back:
                patch.setattr(Writer, "withdraw_request", full)
            with pytest.raises(EngineError, match=r"can't .*\(database or disk is full\)") as told:
                await ask(lab.home, RequestKind.LAUNCH, request)
        assert ("it stays" in str(told.value)) == also_the_way_back
        if also_the_way_back:
            assert (await lab.ended(request.run)).state is State.DONE
        else:
            await until(lambda: not os.listdir(lab.home.jobs))
            assert lab.store.runs() == []
