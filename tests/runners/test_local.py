"""LocalRunner as a library: real workers, no store and no engine."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from runners.batches import (
    BatchRef,
    Cursor,
    Life,
    Outcome,
    RunnerError,
    TaskFailedError,
    Watched,
)
from runners.config.files import read_resource
from runners.config.home import Home
from runners.config.resource import LocalResource
from runners.events import CORRUPT, Event
from runners.layout import batch_token
from runners.local import LocalRunner
from runners.processes import Owner
from runners.tasks import Numbered, StepContext, batch_spec
from runners.workflow import Item, Step, TaskType
from tests.waiting import until

ENVIRONMENT = {"PATH": os.environ["PATH"]}


@pytest.fixture
def runner(home: Home) -> LocalRunner:
    resource = read_resource(home.resources, "local").value
    assert isinstance(resource, LocalResource)
    return LocalRunner(resource)


def items(*values: str) -> list[Item]:
    return [Item(value=value) for value in values]


def step(*command: str, **others: object) -> Step:
    return Step.model_validate({"name": "It", "command": list(command), **others})


async def prepared(runner: LocalRunner, home: Home, the_step: Step, count: int) -> BatchRef:
    """One batch with *count* tasks, ready to be launched."""
    context = StepContext("run", the_step, str(home.jobs / "run" / "0_it"), str(home.jobs), ENVIRONMENT)
    tasks = [Numbered(index, index, Item(value=str(index))) for index in range(count)]
    spec = batch_spec(context, tasks, token=batch_token("run", 0, "test"), number=0, slots=2)
    await runner.prepare([spec])
    return spec.ref


async def test_each_item_has_a_result_or_an_exception(runner: LocalRunner, home: Home) -> None:
    script = 'test "$1" != bad || exit 3; printf \'{"was": "%s"}\' "$1" >"$2"'
    results, exceptions = await runner.multisubmit(
        step("sh", "-c", script, "sh", "{item}", "{out_json}"),
        items("a", "bad", "b c"),
        home.jobs / "it" / "s",
    )
    assert results == {0: {"was": "a"}, 2: {"was": "b c"}}
    assert list(exceptions) == [1]
    failure = exceptions[1]
    assert isinstance(failure, TaskFailedError)
    assert (str(failure), failure.exit_code) == ("exit code 3", 3)


async def test_a_task_that_leaves_nothing_has_none_as_its_result(runner: LocalRunner, home: Home) -> None:
    assert await runner.multisubmit(step("true"), items("a"), home.jobs / "it" / "s") == ({0: None}, {})


async def test_a_large_result_is_read_from_its_file(runner: LocalRunner, home: Home) -> None:
    large = step("sh", "-c", 'printf \'"%05000d"\' 7 >"$1"', "sh", "{out_json}")
    results, exceptions = await runner.multisubmit(large, items("a"), home.jobs / "it" / "s")
    assert (results, exceptions) == ({0: "7".rjust(5000, "0")}, {})


async def test_a_step_that_runs_once_gets_its_arguments_and_all_items(
    runner: LocalRunner, home: Home
) -> None:
    once = step("cp", "{args_json}", "{out_json}", type=TaskType.NON_PARALLEL, args={"depth": 2})
    result, exception = await runner.submit(once, home.jobs / "it" / "s", items=items("a", "[/]"))
    assert exception is None
    assert result == {"items": ["a", "[/]"], "depth": 2}
    assert (home.jobs / "it" / "s" / "non_par--args.json").exists()


async def test_submit_hands_back_what_went_wrong(runner: LocalRunner, home: Home) -> None:
    result, exception = await runner.submit(
        step("no-such-command", type="non_parallel"), home.jobs / "it" / "s"
    )
    assert result is None
    assert str(exception) == "command not found: no-such-command"


async def test_cancelling_multisubmit_detaches_and_calling_it_again_takes_the_work_up(
    runner: LocalRunner, home: Home
) -> None:
    go = home.jobs / "go"
    ran = home.jobs / "ran"
    waits = step("sh", "-c", f"while ! test -e {go}; do sleep 0.02; done; echo $1 >>{ran}", "sh", "{item}")
    folder = home.jobs / "it" / "s"
    first = asyncio.create_task(runner.multisubmit(waits, items("a", "b", "c"), folder))
    await until(lambda: list(folder.glob("batches/*/claim")))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go.touch()
    results, exceptions = await runner.multisubmit(waits, items("a", "b", "c"), folder)
    assert (results, exceptions) == ({0: None, 1: None, 2: None}, {})
    assert sorted(ran.read_text().split()) == ["a", "b", "c"]


async def test_tasks_of_a_killed_worker_fail_and_are_gone(runner: LocalRunner, home: Home) -> None:
    folder = home.jobs / "it" / "s"
    pids = home.jobs / "pids"
    sleeps = step("sh", "-c", f"echo $$ >>{pids}; exec setsid -w sleep 60")
    waiting = asyncio.create_task(runner.multisubmit(sleeps, items("a", "b", "c"), folder))
    await until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    (claim,) = folder.glob("batches/*/claim")
    assert Owner.of(json.loads(claim.read_bytes())).signal(signal.SIGKILL)
    results, exceptions = await waiting
    assert results == {}
    reasons = {index: str(error) for index, error in exceptions.items()}
    assert reasons == {0: "worker died", 1: "worker died", 2: "worker died before this task started"}
    await until(lambda: not any(lives(pid) for pid in pids.read_text().split()))


async def test_launching_twice_runs_each_task_once(runner: LocalRunner, home: Home) -> None:
    ran = home.jobs / "ran"
    batch = await prepared(runner, home, step("sh", "-c", f"echo {{index}} >>{ran}"), 20)
    other = LocalRunner(
        LocalResource.model_validate(read_resource(home.resources, "local").value.model_dump())
    )
    answers = await asyncio.gather(runner.launch([batch]), other.launch([batch]), runner.launch([batch]))
    assert {answer.outcome for (answer,) in answers} == {Outcome.STARTED}
    assert len({answer.native_id for (answer,) in answers}) == 1
    await until_gone(runner, batch)
    assert sorted(map(int, ran.read_text().split())) == list(range(20))


async def test_a_batch_cancelled_before_its_launch_never_runs_a_task(runner: LocalRunner, home: Home) -> None:
    batch = await prepared(runner, home, step("touch", "{item}"), 3)
    assert await runner.cancel(batch) is False
    await runner.launch([batch])
    events = await until_gone(runner, batch)
    assert [event.detail["i"] for event in events if event.kind == "left"] == [[[0, 2]]]
    assert not (home.jobs / "0").exists()


async def test_a_refused_launch_says_why(runner: LocalRunner, home: Home) -> None:
    batch = await prepared(runner, home, step("true"), 1)
    (Path(batch.folder) / "batch.json").write_text("{}")
    (answer,) = await runner.launch([batch])
    assert answer.outcome is Outcome.REFUSED
    assert "batch.json cannot be used" in answer.reason


async def test_a_corrupt_line_is_told_and_the_others_count(runner: LocalRunner, home: Home) -> None:
    batch = await prepared(runner, home, step("true"), 1)
    await runner.launch([batch])
    await until_gone(runner, batch)
    file = Path(batch.folder) / "events.0.jsonl"
    file.write_bytes(b'{"s":1,"t":1,"e":"end","i":"x"}\n\xff\n[]\n' + file.read_bytes() + b'{"s":9,"t":')
    (report,) = await runner.poll([Watched(batch, Cursor())])
    assert [event.kind for event in report.events if event.kind != "slot"] == [CORRUPT] * 3 + [
        "hello",
        "start",
        "end",
        "bye",
    ]
    assert report.cursor.offset == file.stat().st_size - len(b'{"s":9,"t":')


async def test_a_worker_of_another_host_is_neither_alive_nor_gone(runner: LocalRunner, home: Home) -> None:
    batch = await prepared(runner, home, step("true"), 1)
    claim = {"id": "1.1", "pid": 1, "start": 1, "boot": "x", "host": "elsewhere", "restart": 0}
    (Path(batch.folder) / "claim").write_text(json.dumps(claim))
    (report,) = await runner.poll([Watched(batch, Cursor())])
    assert report.life is Life.UNTOLD


async def test_a_worker_from_before_the_last_boot_is_gone(runner: LocalRunner, home: Home) -> None:
    batch = await prepared(runner, home, step("true"), 1)
    claim = {
        "id": "1.1",
        "pid": os.getpid(),
        "start": 1,
        "boot": "x",
        "host": os.uname().nodename,
        "restart": 0,
    }
    (Path(batch.folder) / "claim").write_text(json.dumps(claim))
    (report,) = await runner.poll([Watched(batch, Cursor())])
    assert report.life is Life.GONE


async def test_logs_are_read_from_either_end(runner: LocalRunner, home: Home) -> None:
    log = home.jobs / "log"
    log.write_bytes(b"0123456789")
    path = str(log)
    middle, tail, past = [await runner.read_log(path, offset, 4) for offset in (2, -3, 50)]
    assert (middle.data, middle.offset, middle.size) == (b"2345", 2, 10)
    assert (tail.data, tail.offset) == (b"789", 7)
    assert past.data == b""
    assert (await runner.read_log(str(home.jobs / "none"), 0, 4)).size == 0
    os.mkfifo(home.jobs / "pipe")
    with pytest.raises(RunnerError, match="not a regular file"):
        await runner.read_log(str(home.jobs / "pipe"), 0, 4)


def lives(pid: str) -> bool:
    """Whether a process is there; a zombie has no command line any more."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


async def until_gone(runner: LocalRunner, batch: BatchRef) -> list[Event]:
    """All events of *batch*, once its worker is gone."""
    events: list[Event] = []
    watched = Watched(batch, Cursor())
    async with asyncio.timeout(20):
        while True:
            (report,) = await runner.poll([watched])
            events += report.events
            watched = Watched(batch, report.cursor)
            if report.life is Life.GONE:
                return events
            await asyncio.sleep(0.02)
