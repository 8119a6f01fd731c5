"""When an engine is started by the dashboard, and what is said of it meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.config.home import Home
from runners.states import State
from runners.store.rows import Counts, RunRow
from tests.tui.stage import Logs
from tui.feed import Picture
from tui.keeper import PAUSE_S, EngineState, Keeper


def picture(state: State, *, engine: bool = False, problem: str = "") -> Picture:
    run = RunRow("i", "n", "local", None, None, state, "", 0.0, None, None, Counts(), "", "", False, 1)
    return Picture(runs={"i": run}, engine=engine, problem=problem)


class Clock:
    """Goes on when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path)


def test_it_is_due_only_while_something_is_live_and_nobody_looks_after_it() -> None:
    def due(of: Picture) -> bool:
        return Keeper().due(of)

    assert due(picture(State.RUNNING)) and due(picture(State.PENDING)) and due(picture(State.UNKNOWN))
    assert not due(picture(State.DONE)) and not due(Picture())
    assert not due(picture(State.RUNNING, engine=True))
    assert not due(picture(State.RUNNING, problem="The store is gone."))


async def test_it_is_tried_once_in_a_while(home: Home) -> None:
    client, clock = Logs(home, {}), Clock()
    keeper, gone = Keeper(clock), picture(State.RUNNING)
    assert keeper.state(gone) is EngineState.OFF
    assert keeper.due(gone)
    assert await keeper.start(client) == ""
    assert keeper.state(gone) is EngineState.STARTING
    assert keeper.state(picture(State.RUNNING, engine=True)) is EngineState.ON
    clock.now += PAUSE_S - 0.1
    assert not keeper.due(gone)
    clock.now += 0.1
    assert keeper.state(gone) is EngineState.OFF
    assert keeper.due(gone)


async def test_one_that_cannot_be_started_is_off_until_it_is_tried_again(home: Home) -> None:
    clock = Clock()
    client, gone = Logs(home, {}, "The disk is full."), picture(State.RUNNING)
    keeper = Keeper(clock)
    assert keeper.due(gone)
    assert await keeper.start(client) == "The disk is full."
    assert keeper.state(gone) is EngineState.OFF and not keeper.due(gone)
    clock.now += PAUSE_S
    assert keeper.due(gone) and keeper.state(gone) is EngineState.STARTING


async def test_what_keeps_it_from_starting_is_told_once(home: Home) -> None:
    client, gone = Logs(home, {}, "The disk is full."), picture(State.RUNNING)
    keeper = Keeper()
    assert [await keeper.start(client), await keeper.start(client)] == ["The disk is full.", ""]
    client.no_engine = "The folder is gone."
    assert [await keeper.start(client), await keeper.start(client)] == ["The folder is gone.", ""]
    # After one was there it is another trouble, be it the same.
    assert not keeper.due(picture(State.RUNNING, engine=True))
    assert await keeper.start(client) == "The folder is gone." and keeper.due(gone)
