"""The engine as a service: its lock, its socket, its life and what disturbs it."""

import asyncio
import json
import logging
import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.config.files import add_resource, read_resource
from runners.config.home import Home
from runners.config.places import resource_path
from runners.engine.accepting import Acceptor
from runners.engine.asking import RefusedError, ask
from runners.engine.checks import Checks
from runners.engine.client import EngineClient, EngineError, engine_alive
from runners.engine.engine import Engine
from runners.engine.lock import HeldError
from runners.engine.process import EngineLog
from runners.engine.refusal import RefusalError
from runners.engine.wire import short_path
from runners.requests import RequestKind
from runners.sample import Sample
from runners.states import State
from runners.store.facts import apply_events
from runners.store.rows import BatchRow
from runners.store.writer import Change
from tests.conftest import throwaway_home
from tests.engine.lab import Lab, alive, fill, shell, step
from tests.waiting import until


async def test_nobody_else_can_reach_the_engine(lab: Lab) -> None:
    async with lab.hosted():
        assert stat.S_IMODE(os.stat(lab.home.socket).st_mode) == 0o600
    for path in (lab.home.database, lab.home.lock):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(lab.home.state).st_mode) == 0o700


@pytest.fixture
def deep_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    root = tmp_path / ("long" * 30) / ("ö" * 60) / "home"
    monkeypatch.setenv("RUNYARD_HOME", str(root))
    yield from throwaway_home(root)


async def test_a_home_with_a_very_long_path_works(deep_home: Home) -> None:
    assert len(os.fsencode(deep_home.socket)) > 300
    lab = Lab(deep_home)
    await lab.start_engine()
    run = await lab.launch(shell("echo {item}"), items="ab")
    assert (await lab.ended(run)).state is State.DONE
    assert (await lab.client.read_log(run, 1, 0, 10)).data == b"b\n"
    assert await lab.client.stop()
    lab.store.close()


async def test_an_engine_with_nothing_to_do_leaves(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_ENGINE_IDLE", "0.2")
    pid = await lab.start_engine()
    run = await lab.launch(lab.gated(), items="ab")
    await asyncio.sleep(1.5)
    assert alive(pid)
    lab.open_gate()
    await lab.ended(run)
    await until(lambda: not alive(pid))
    assert not engine_alive(lab.home)
    assert await lab.client.status() is None
    # And the next one who asks starts another.
    assert (await lab.ended(await lab.launch(step("true"), items="a"))).state is State.DONE


async def test_a_second_engine_says_who_the_first_is(lab: Lab) -> None:
    async with lab.hosted():
        with pytest.raises(HeldError, match=rf"already: pid {os.getpid()} on {os.uname().nodename}\.$"):
            await Engine(lab.home).run()
        assert engine_alive(lab.home)
    assert not engine_alive(lab.home)


async def test_what_tasks_know_of_their_batch_does_not_reach_the_engine(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_BATCH", "ry-outer")
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    pid = await lab.start_engine()
    environment = environment_of(pid)
    assert b"RUNYARD_BATCH" not in environment
    assert b"SLURM_JOB_ID" not in environment
    assert b"RUNYARD_HOME" in environment


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_an_engine_that_cannot_start_is_told_of_in_one_sentence(lab: Lab) -> None:
    lab.home.lock.mkdir()
    with pytest.raises(EngineError, match=r"^The engine can't use '.*engine\.lock': Is a directory\.$"):
        await lab.client.ensure_running()
    lab.home.lock.rmdir()


async def test_an_engine_without_a_byte_for_its_log_still_says_why_it_cannot_start(
    home: Home, small_disk: Path
) -> None:
    home = Home(home.config, small_disk / "state", home.jobs)
    home.make()
    fill(small_disk / "filling")
    with pytest.raises(EngineError, match=r"No space left on device|disk is full"):
        await EngineClient(home).ensure_running()


async def test_an_engine_that_dies_without_a_word_is_not_waited_for_longer_than_asked(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(EngineError, match=r"did not start within 0\.2 s; '.*engine\.log' says nothing\.$"):
        await lab.client.ensure_running(0.2)


@pytest.mark.parametrize("what", ["the folder", "the store", "the socket"])
async def test_an_engine_leaves_when_its_place_is_taken_away(home: Home, what: str) -> None:
    lab = Lab(home)
    pid = await lab.start_engine()
    lab.store.close()
    match what:
        case "the folder":
            shutil.rmtree(home.state)
        case "the store":
            home.database.unlink()
        case "the socket":
            home.socket.unlink()
    await until(lambda: not alive(pid))
    shutil.rmtree(lab.work)
    lab = Lab(home)
    run = await lab.launch(step("true"), items="a")
    assert (await lab.ended(run)).state is State.DONE
    assert await lab.client.status() is not None
    lab.store.close()


async def test_the_engine_that_leaves_spares_the_socket_of_the_next(home: Home) -> None:
    lab = Lab(home)
    async with lab.hosted():
        lab.store.close()
        home.state.rename(home.state.with_name("old"))
        shutil.rmtree(lab.work)
        lab = Lab(home)
        await lab.start_engine()
    assert await lab.client.status() is not None
    lab.store.close()


def test_the_log_is_for_its_owner_only(tmp_path: Path) -> None:
    handler = EngineLog(tmp_path / "engine.log", maxBytes=10, backupCount=1, encoding="utf-8")
    for _ in range(3):
        handler.emit(logging.makeLogRecord({"msg": "a long line"}))
    handler.close()
    found = [stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()]
    assert found == [0o600, 0o600]


async def test_a_request_that_no_engine_takes_is_taken_back(lab: Lab) -> None:
    lab.home.lock.mkdir()
    with pytest.raises(EngineError):
        await ask(lab.home, RequestKind.LAUNCH, lab.request(step("true"), items="a"), timeout_s=0.5)
    lab.home.lock.rmdir()
    assert lab.store.waiting_requests() == []


async def test_nonsense_on_the_socket_disturbs_nobody(lab: Lab) -> None:
    said = [
        b"\n",
        b"[]\n",
        b"{",
        b"\xff\n",
        b'{"bytes": -1}\n',
        b"x" * 200_000,
        b'{"op": "dance"}\n',
        b'{"op": "read_log", "run": []}\n',
        # What is nested so deeply has ended the engine once.
        b"[" * 20_000 + b"]" * 20_000 + b"\n",
        b'{"op": "check", "bytes": 40000}\n' + b"[" * 20_000 + b"]" * 20_000,
        b'{"op": "findings", "id": "x", "seen": 1e999}\n',
    ]
    async with lab.hosted():
        for data in said:
            with short_path(lab.home.socket) as name:
                reader, writer = await asyncio.open_unix_connection(name)
            writer.write(data)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            assert answer == b"" or "error" in json.loads(answer)
        with pytest.raises(EngineError, match="There is no run 'x'"):
            await lab.client.read_log("x", 0, 0, 10)
        assert await lab.client.status() is not None


async def test_an_engine_from_before_an_update_is_told_of_with_the_way_out(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def of_old(engine: Engine, _: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        return {"well": True}, b""

    way_out = r"; stop it with `runyard engine stop` \(what runs goes on\), and try again\.$"
    monkeypatch.setattr(Checks, "operations", property(lambda checks: {}))
    async with lab.hosted():
        monkeypatch.setattr(Engine, "_woken", of_old)
        with pytest.raises(
            EngineError,
            match=rf"^The engine that is running is older .* not know the operation 'check'{way_out}",
        ):
            await anext(lab.client.check({}, None, Sample()))
        with pytest.raises(
            EngineError, match=rf"^The engine's answer can't be read \(.* of another version{way_out}"
        ):
            await lab.client.wake()
        # What gets one out of it works.
        assert await lab.client.status() is not None
        assert await lab.client.stop()


@pytest.mark.parametrize(
    ("told", "unknown"),
    [
        ("The engine does not know the operation 'check'.", "the operation 'check'"),
        ("This Runyard does not know requests of the kind 'dance'.", "requests of the kind 'dance'"),
        ("The request can't be carried out: needs.mem is not a known key.", "needs.mem"),
    ],
)
async def test_an_engine_that_knew_no_way_out_is_told_of_with_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, told: str, unknown: str
) -> None:
    async def refuse(*_: object) -> str:
        raise RefusalError(told)

    async def answer(*_: object) -> tuple[dict[str, Any], bytes]:
        return {"error": told}, b""

    expected = (
        f"does not know {unknown}; stop it with `runyard engine stop` (what runs goes on), and try again."
    )
    monkeypatch.setattr(Acceptor, "_carry_out", refuse)
    async with lab.hosted():
        with pytest.raises(RefusedError, match=re.escape(expected)):
            await lab.launch(step("true"), items="a")
        monkeypatch.setattr(Engine, "_woken", answer)
        with pytest.raises(EngineError, match=re.escape(expected)):
            await lab.client.wake()


async def test_a_run_in_trouble_says_so_and_troubles_no_other(lab: Lab) -> None:
    add_resource(lab.home.resources, "other", read_resource(lab.home.resources, "local").value)
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items="ab", resource="other")
        await until(lambda: lab.run(run).counts.running == 2)
    file = resource_path(lab.home.resources, "other")
    kept = file.read_bytes()
    file.write_text("{")
    async with lab.hosted():
        assert str(file) in await until(lambda: lab.run(run).reason)
        assert not lab.run(run).state.final
        lab.open_gate()
        assert (await lab.ended(await lab.launch(step("true"), items="a"))).state is State.DONE
        file.write_bytes(kept)
        row = await lab.ended(run)
    assert (row.state, row.reason) == (State.DONE, "")


async def test_a_store_that_is_locked_for_a_while_loses_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("runners.store.database._BUSY_S", 0.05)
    async with lab.hosted():
        run = await lab.launch(lab.gated(), items="abcd")
        await until(lambda: len(lab.ran()) == 2)
        other = sqlite3.connect(lab.home.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        lab.open_gate()
        await until(lambda: len(lab.ran()) == 4)
        await until(lambda: "The store can't be used" in caplog.text)
        other.execute("ROLLBACK")
        other.close()
        assert (await lab.ended(run)).counts.done == 4


async def test_the_engine_log_stays_out_of_the_terminal(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    await lab.start_engine()
    await EngineClient(lab.home).stop()
    assert capfd.readouterr() == ("", "")
    assert "is running for" in lab.home.engine_log.read_text()


async def test_a_report_that_cannot_be_taken_in_costs_its_own_run_only(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.engine.taking_in._PAUSE_S", 0.1)
    async with lab.hosted():
        poisoned = await lab.launch(lab.gated(), items="ab")
        await until(lambda: lab.run(poisoned).counts.running == 2)

        def refuse(change: Change, batch: BatchRow, *others: Any, **more: Any) -> bool:
            if batch.run == poisoned:
                raise ArithmeticError
            return apply_events(change, batch, *others, **more)

        with monkeypatch.context() as patch:
            patch.setattr("runners.engine.taking_in.apply_events", refuse)
            lab.open_gate()
            assert "ArithmeticError" in await until(lambda: lab.run(poisoned).reason)
            assert (await lab.ended(await lab.launch(step("true"), items="ab"))).state is State.DONE
            assert not lab.run(poisoned).state.final
        row = await lab.ended(poisoned)
    assert (row.state, row.reason) == (State.DONE, "")


async def test_a_store_on_a_full_disk_is_waited_for(
    lab: Lab, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = Lab(Home(lab.home.config, small_disk / "state", lab.home.jobs / "full" / "jobs"))
    async with full.hosted():
        run = await full.launch(full.gated(), items=map(str, range(100)))
        await until(lambda: full.run(run).counts.running == 2)
        filling = small_disk / "filling"
        fill(filling)
        full.open_gate()
        await until(lambda: len(full.ran()) == 100)
        await until(lambda: "database or disk is full" in caplog.text)
        filling.unlink()
        assert (await full.ended(run)).counts.done == 100
    full.store.close()
