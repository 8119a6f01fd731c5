"""A resource is renamed or removed at the moment in which a run is asked for: one of the two is refused."""

import asyncio
import fcntl
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runners.config.errors import ConfigError
from runners.config.files import list_resources
from runners.config.folders import (
    duplicate_resource,
    make_profile,
    remove_profile,
    remove_resource,
    rename_resource,
)
from runners.config.wholefile import TEMPORARY
from runners.config.writing import writing
from runners.engine.asking import RefusedError
from runners.in_use import out_of_use
from runners.requests import RequestKind, RetryRequest
from runners.states import State
from runners.store.database import StoreError
from runners.store.writer import Writer
from tests.engine.lab import Lab, shell

ME = b'{"resource_type": "local", "name": "me"}'

_ADD = """
import sys
from pathlib import Path
from runners.store.writer import Writer
writer = Writer.open(Path(sys.argv[1]))
print("opened", flush=True)
print(writer.add_request("launch", sys.argv[2]), flush=True)
"""


@pytest.fixture
def other(lab: Lab) -> str:
    """A second resource of this machine, with a profile."""
    folder = lab.home.resources
    duplicate_resource(folder, "local", "other", profiles=False)
    make_profile(folder, "other", "me", ME)
    return "other"


def refused(lab: Lab, resource: str, profile: str | None = None) -> str:
    """Why it can't be removed."""
    with (
        pytest.raises(ConfigError) as refusal,
        out_of_use(lab.home, resource, profile, done="removed"),
    ):
        raise AssertionError("it can")
    return str(refusal.value)


def test_a_run_is_on_its_resource_from_when_it_is_asked_for(lab: Lab, other: str) -> None:
    # No engine is there: nothing but the request tells of the run.
    asked = lab.request(shell("true"), items="a", resource=other, profile="me")
    number = lab.leave(RequestKind.LAUNCH, asked)
    assert f"removed while run {asked.run} is on it; wait" in refused(lab, other)
    assert f"removed while run {asked.run} is on it; wait" in refused(lab, other, "me")
    more = lab.leave(RequestKind.LAUNCH, lab.request(shell("true"), items="a", resource=other, profile="me"))
    assert f"removed while run {asked.run} and 1 more are on it; wait" in refused(lab, other)
    lab.store.withdraw_request(more)
    with out_of_use(lab.home, other, "you", done="removed"):
        pass
    lab.store.withdraw_request(number)
    lab.store.add_request("launch", '{"run": 3}')
    with out_of_use(lab.home, other, done="removed"):
        pass


async def test_so_is_a_retry(lab: Lab, other: str) -> None:
    async with lab.hosted():
        run = await lab.launch(shell("false"), items="a", resource=other)
        assert (await lab.ended(run)).state is State.FAILED
    with out_of_use(lab.home, other, done="removed"):
        pass
    lab.leave(RequestKind.RETRY, RetryRequest(run="again", of=run))
    lab.leave(RequestKind.RETRY, RetryRequest(run="never", of="nosuchrun"))
    assert "while run again is on it" in refused(lab, other)


def asked_for_in_a_rename(lab: Lab, resource: str) -> int:
    """Rename it to `new`, and ask for a run from another process in the middle; returns the request."""
    request = lab.request(shell("true"), items="a", resource=resource)
    words = [sys.executable, "-c", _ADD, str(lab.home.database), request.model_dump_json()]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout is not None
        with out_of_use(lab.home, resource, done="renamed"):
            assert asking.stdout.readline() == "opened\n"
            with pytest.raises(subprocess.TimeoutExpired):
                asking.wait(0.5)
            assert lab.store.waiting_requests() == []
            rename_resource(lab.home.resources, resource, "new")
        return int(asking.stdout.readline())


async def test_a_run_that_is_asked_for_meanwhile_waits_and_is_refused(lab: Lab, other: str) -> None:
    number = asked_for_in_a_rename(lab, other)
    async with lab.hosted():
        # Requests are carried out in their order.
        run = await lab.launch(shell("true"), items="a", resource="new")
        assert (await lab.ended(run)).state is State.DONE
    answered = lab.store.request(number)
    assert answered is not None
    assert answered.answer == "There is no resource named other; there are: local, new."


def test_a_store_that_others_hold_for_too_long(lab: Lab, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.store.database._BUSY_S", 0.1)
    holder = Writer.open(lab.home.database)
    with (
        holder.held(),
        pytest.raises(StoreError, match=r"^The store .*runyard\.db' can't be used: database is locked\.$"),
        out_of_use(lab.home, other, done="removed"),
    ):
        raise AssertionError("it can")
    holder.close()


def test_whoever_waits_for_the_folder_does_not_hold_the_store(
    lab: Lab, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Far longer than the store may be waited for, which would tell.
    monkeypatch.setattr("runners.store.database._BUSY_S", 0.5)
    writer = Writer.open(lab.home.database)
    waits = threading.Event()
    pause = time.sleep

    def paused(seconds: float) -> None:
        waits.set()
        pause(seconds)

    monkeypatch.setattr("runners.config.writing.time.sleep", paused)

    def remove() -> None:
        with out_of_use(lab.home, other, done="removed"):
            remove_resource(lab.home.resources, other)

    removing = threading.Thread(target=remove)
    with (lab.home.resources / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        removing.start()
        assert waits.wait(30)
        writer.withdraw_request(writer.add_request("launch", '{"run": 3}'))
        assert removing.is_alive()
    removing.join(30)
    writer.close()
    assert [found.name for found in list_resources(lab.home.resources)] == ["local"]


def test_what_is_removed_is_cleared_away_once_the_store_is_let_go(lab: Lab, other: str) -> None:
    folder = lab.home.resources
    with writing(folder):
        with out_of_use(lab.home, other, done="removed"):
            remove_resource(folder, other)
        # Out of sight, and still on the disk.
        assert [found.name for found in list_resources(folder)] == ["local"]
        assert len(list(folder.glob(f"{TEMPORARY}/{other}/resource.json"))) == 1
    assert list(folder.glob(TEMPORARY)) == []


def test_a_folder_that_is_no_folder_is_told(lab: Lab, other: str) -> None:
    shutil.rmtree(lab.home.resources)
    lab.home.resources.touch()
    told = refused(lab, other)
    assert told == (
        f"The resource other can't be removed: {lab.home.resources} can't be written (File exists)."
    )


CHANGES: dict[str, Callable[[Path], None]] = {
    "renamed": lambda folder: rename_resource(folder, "other", "new"),
    "removed": lambda folder: remove_resource(folder, "other"),
}


@pytest.mark.parametrize("done", CHANGES)
async def test_at_the_same_moment_one_of_the_two_is_refused(lab: Lab, other: str, done: str) -> None:
    """Whatever comes first: never a run whose resource is gone."""

    def change() -> str:
        try:
            with out_of_use(lab.home, other, done=done):
                CHANGES[done](lab.home.resources)
        except ConfigError as error:
            return str(error)
        return ""

    async with lab.hosted():
        for _ in range(10):
            launch = asyncio.create_task(lab.launch(shell("true"), items="a", resource=other))
            await asyncio.sleep(random.uniform(0.0, 0.02))
            refusal = await asyncio.to_thread(change)
            try:
                run = await launch
            except RefusedError as error:
                assert str(error).startswith("There is no resource named other; there are: ")
                assert refusal == ""
                assert all(row.resource != other or row.state.final for row in lab.store.runs())
            else:
                assert "is on it; wait for the end or cancel first." in refusal
                assert (await lab.ended(run)).state is State.DONE
            names = {found.name for found in list_resources(lab.home.resources)}
            assert (other in names) == bool(refusal)
            if "new" in names:
                rename_resource(lab.home.resources, "new", other)
            elif other not in names:
                duplicate_resource(lab.home.resources, "local", other, profiles=False)


def test_a_profile_that_no_run_uses_is_free(lab: Lab, other: str) -> None:
    asked = lab.request(shell("true"), items="a", resource=other)
    lab.leave(RequestKind.LAUNCH, asked)
    with out_of_use(lab.home, other, "me", done="removed"):
        remove_profile(lab.home.resources, other, "me")
    assert "is on it" in refused(lab, other)
