"""A retry from the dashboard can give each task more than it had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import BaseModel
from textual.events import Key
from textual.widgets import Input

from runners.config.home import Home
from runners.engine.asking import RefusedError
from runners.launching import LaunchError
from runners.requests import RequestKind, RetryRequest, TaskNeeds
from runners.states import State
from runners.store.writer import Writer
from tests.tui import resource_story, stores
from tests.tui.stage import Stage, at, make_home, on_stage, sees, until
from tui.dashboard import Dashboard
from tui.forms.needs import read_needs
from tui.screens.confirm import Confirm
from tui.screens.line import AskLine
from tui.screens.runs import RunsPage


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("", TaskNeeds()),
        ("mem=5G", TaskNeeds(mem=5000)),
        (" time=90m  mem=500 cpus=2", TaskNeeds(time=5400, mem=500, cpus_per_task=2)),
        ("--mem 5G --time=2h", TaskNeeds(mem=5000, time=7200)),
        ("320M", TaskNeeds(mem=320)),
        ("time=2h 1T cpus=2", TaskNeeds(mem=1_000_000, time=7200, cpus_per_task=2)),
    ],
)
def test_what_is_typed(text: str, needs: TaskNeeds) -> None:
    assert read_needs(text) == needs


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2h", "'2h' can't be given to a task: mem=5G, time=2h and cpus=4 can."),
        ("320", "'320' can't be given to a task: mem=5G"),
        ("90m", "'90m' can't be given to a task"),
        ("mem=1G 2G", "mem must be given one value"),
        ("1G 2G", "mem must be given one value"),
        ("0G", "mem '0G' must be memory"),
        ("memory=5G", "'memory' can't be given to a task"),
        ("mem", "mem must be given one value"),
        ("mem=", "mem must be given one value"),
        ("mem=1G mem=2G", "mem must be given one value"),
        ("mem=lots", "mem 'lots' must be memory"),
        ("time=0", "time '0' must be a time"),
        ("cpus=two", "cpus 'two' must be a whole number"),
        ("cpus=0", "cpus 0 must be 1 or more"),
        ("\x1b[2J", "can't be given to a task"),
    ],
)
def test_what_cannot_be_typed(text: str, sentence: str) -> None:
    with pytest.raises(LaunchError) as raised:
        read_needs(text)
    assert sentence in str(raised.value) and str(raised.value).isprintable()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, stores.typical)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[BaseModel]:
    payloads: list[BaseModel] = []

    async def ask(home: Home, kind: RequestKind, payload: BaseModel, **_: Any) -> None:
        assert kind is RequestKind.RETRY
        payloads.append(payload)

    monkeypatch.setattr("runners.engine.asking.ask", ask)
    return payloads


async def with_more(stage: Stage, *keys: str) -> None:
    """The line in which more is asked for, of the last run."""
    await stage.press("end", "r")
    await at(stage, Confirm)
    await stage.press(*keys)
    await at(stage, AskLine)


@pytest.mark.parametrize("keys", [("m",), ("left", "enter")])
async def test_more_is_asked_for_after_the_question(
    home: Home, asked: list[BaseModel], keys: tuple[str, ...]
) -> None:
    async with on_stage(home) as stage:
        await with_more(stage, *keys)
        await stage.press(*" cpus=two", "enter")
        await sees(stage, "cpus 'two' must be a whole number")
        assert asked == []
        typed = stage.app.screen.query_one(Input)
        # What is advised stands there to begin with, and what is typed is added to it.
        assert typed.value == "mem=384M cpus=two"
        typed.value = "mem=5G time=2h"
        await stage.press("enter")
        await until(stage, lambda: bool(asked))
        (request,) = asked
        assert isinstance(request, RetryRequest) and request.of == "7w2mh4ze"
        assert request.needs == TaskNeeds(mem=5000, time=7200)
        await at(stage, RunsPage)


async def test_what_is_advised_stands_in_the_line(home: Home, asked: list[BaseModel]) -> None:
    async with on_stage(home) as stage:
        await with_more(stage, "m")
        await until(stage, lambda: stage.app.screen.query_one(Input).has_focus)
        await sees(stage, "mem=384M")
        await stage.press(*" time=2h", "enter")
        await until(stage, lambda: bool(asked))
    (request,) = asked
    assert isinstance(request, RetryRequest) and request.needs == TaskNeeds(mem=384, time=7200)


async def test_keys_pressed_while_the_advice_is_read_are_for_the_line(
    home: Home, asked: list[BaseModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = Event(), Event()

    def slow(*_: object) -> dict[str, str]:
        reading.set()
        go_on.wait(10)
        return {"mem": "1G"}

    monkeypatch.setattr("tui.whys.advised_of", slow)
    monkeypatch.setattr("tui.intents._ADVICE_S", 30.0)
    async with on_stage(home) as stage:
        await stage.press("end", "r")
        await at(stage, Confirm)
        stage.app.post_message(Key("m", "m"))
        await until(stage, reading.is_set)
        for letter in "cpus":
            stage.app.post_message(Key(letter, letter))
        go_on.set()
        await at(stage, AskLine)
        await until(stage, lambda: stage.app.screen.query_one(Input).value == "mem=1Gcpus")
    assert asked == []


async def test_nothing_is_waited_for_long(
    home: Home, asked: list[BaseModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()

    def slow(*_: object) -> dict[str, str]:
        go_on.wait(10)
        return {"mem": "1G"}

    monkeypatch.setattr("tui.whys.advised_of", slow)
    monkeypatch.setattr("tui.intents._ADVICE_S", 0.01)
    async with on_stage(home) as stage:
        try:
            await with_more(stage, "m")
            assert stage.app.screen.query_one(Input).value == ""
        finally:
            go_on.set()


async def test_where_nothing_is_advised_the_line_is_empty(tmp_path: Path, asked: list[BaseModel]) -> None:
    async with on_stage(make_home(tmp_path, stores.hostile)) as stage:
        await with_more(stage, "m")
        assert stage.app.screen.query_one(Input).value == ""


async def test_whoever_leaves_the_line_has_asked_for_nothing(home: Home, asked: list[BaseModel]) -> None:
    async with on_stage(home) as stage:
        await with_more(stage, "m")
        await stage.press(*"mem=5G", "escape")
        await at(stage, RunsPage)
        await stage.press("c")
        await stage.press("m")
        await at(stage, RunsPage)
    assert asked == []


async def test_a_retry_without_more_asks_for_nothing_else(home: Home, asked: list[BaseModel]) -> None:
    async with on_stage(home) as stage:
        await stage.press("end", "r", "y")
        await until(stage, lambda: bool(asked))
        (request,) = asked
        assert isinstance(request, RetryRequest) and request.needs == TaskNeeds()


@pytest.fixture
def cluster(tmp_path: Path) -> Home:
    """A home with a run that failed on a cluster whose jobs get at most 256 GB."""

    def tell(writer: Writer) -> None:
        tale = stores.Tale("aaaa1111", "align", State.FAILED, ["a", "b"], rest=State.FAILED, ended=60.0)
        stores.tell(writer, replace(tale, resource="alps", profile="mira"))

    home = make_home(tmp_path, tell)
    resource_story.tell(home)
    return home


async def test_what_the_cluster_does_not_give_is_said_in_the_line(
    cluster: Home, asked: list[BaseModel]
) -> None:
    async with on_stage(cluster) as stage:
        await with_more(stage, "m")
        await stage.press(*"mem=400G", "enter")
        await sees(stage, "mem must not be above max_mem_per_job,", "which is 256 GB.")
        await at(stage, AskLine)
        assert stage.app.screen.query_one(Input).value == "mem=400G" and asked == []
        stage.app.screen.query_one(Input).value = "mem=200G"
        await stage.press("enter")
        await until(stage, lambda: bool(asked))
    (request,) = asked
    assert isinstance(request, RetryRequest) and request.needs == TaskNeeds(mem=200_000)


async def test_what_cannot_be_told_here_is_left_to_the_engine(
    cluster: Home, asked: list[BaseModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()
    monkeypatch.setattr("tui.retrying.check_retry", lambda *_: go_on.wait(10))
    async with on_stage(cluster) as stage:
        await with_more(stage, "m")
        monkeypatch.setattr("tui.intents._ADVICE_S", 0.01)
        try:
            await stage.press(*"mem=400G", "enter")
            await until(stage, lambda: bool(asked))
        finally:
            go_on.set()


async def test_what_the_engine_refused_is_there_the_next_time(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = ["The engine has its reasons."]

    async def ask(*_: object, **__: object) -> None:
        if refusals:
            raise RefusedError(refusals.pop())

    monkeypatch.setattr("runners.engine.asking.ask", ask)
    async with on_stage(home) as stage:
        await with_more(stage, "m")
        stage.app.screen.query_one(Input).value = "mem=5G cpus=2"
        await stage.press("enter")
        await sees(stage, "The engine has its reasons.")
        await with_more(stage, "m")
        assert stage.app.screen.query_one(Input).value == "mem=5G cpus=2"
        await stage.press("enter")
        await until(stage, lambda: not isinstance(stage.app.screen, AskLine | Confirm))
        # It was carried out: the next time it is what is advised.
        assert isinstance(stage.app, Dashboard)
        dashboard = stage.app
        await until(stage, lambda: dashboard.refused_needs == {})
