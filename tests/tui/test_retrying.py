"""A retry from the dashboard can give each task more than it had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from textual.widgets import Input

from runners.config.home import Home
from runners.launching import LaunchError
from runners.requests import RequestKind, RetryRequest, TaskNeeds
from tests.tui import stores
from tests.tui.stage import Stage, at, make_home, on_stage, sees, until
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
    ],
)
def test_what_is_typed(text: str, needs: TaskNeeds) -> None:
    assert read_needs(text) == needs


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("5G", "'5G' can't be given to a task"),
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
        await stage.press(*"mem=lots", "enter")
        await sees(stage, "mem 'lots' must be memory")
        assert asked == []
        stage.app.screen.query_one(Input).value = "mem=5G time=2h"
        await stage.press("enter")
        await until(stage, lambda: bool(asked))
        (request,) = asked
        assert isinstance(request, RetryRequest) and request.of == "7w2mh4ze"
        assert request.needs == TaskNeeds(mem=5000, time=7200)
        await at(stage, RunsPage)


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
