"""The Runs screen, as a person at the keyboard sees it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from textual.widgets import Input

from runners.config.home import Home
from runners.engine.asking import RefusedError
from runners.requests import CancelRequest, RequestKind, RetryRequest
from runners.states import State
from runners.store.writer import Writer
from tests.tui import stores
from tests.tui.stage import Logs, Stage, at, make_home, on_stage, sees, shown, until
from tui.dashboard import Dashboard
from tui.screens.ask import Ask
from tui.screens.command_log import CommandLogPage
from tui.screens.command_reply import CommandReply
from tui.screens.confirm import Confirm
from tui.screens.launch import LaunchPage
from tui.screens.run import RunPage
from tui.screens.runs import RunsPage
from tui.widgets.virtual_table import VirtualTable

Asked = list[tuple[RequestKind, BaseModel]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, stores.typical)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What an engine would have been asked for."""
    requests: Asked = []

    async def ask(home: Home, kind: RequestKind, payload: BaseModel, **_: Any) -> None:
        requests.append((kind, payload))

    monkeypatch.setattr("runners.engine.asking.ask", ask)
    return requests


def table(stage: Stage) -> VirtualTable:
    return stage.app.screen.query_one("#runs", VirtualTable)


def said(stage: Stage) -> list[str]:
    return [notification.message for notification in stage.app._notifications]


def dashboard(stage: Stage) -> Dashboard:
    assert isinstance(stage.app, Dashboard)
    return stage.app


def words(stage: Stage) -> str:
    """What is on the screen, without frames and line breaks."""
    return " ".join(shown(stage).replace("│", " ").split())


class Engine:
    """Whether it lives can be changed."""

    alive = True


ENDED = "segment-plate-4 has ended already (failed): there is nothing to cancel."


async def test_runs_are_shown_newest_first_with_sign_and_word(home: Home) -> None:
    async with on_stage(home) as stage:
        lines = shown(stage).splitlines()
        assert "engine ● on" in lines[0] and "local  2 running, 2 cores" in lines[0]
        names = [line.split()[2] for line in lines[4:9]]
        assert names == ["count-nuclei", "segment-plate-4", "register-all", "convert-plate-4", "measure"]
        assert [line.split()[:2] for line in lines[4:9]] == [
            ["○", "pending"],
            ["●", "running"],
            ["⊘", "cancelled"],
            ["✓", "done"],
            ["✗", "failed"],
        ]
        assert "805/1,000      7" in lines[5]


async def test_a_new_home_tells_what_to_do(tmp_path: Path) -> None:
    async with on_stage(make_home(tmp_path, None)) as stage:
        await sees(stage, "Press n to launch something")
        await stage.press("n")
        await at(stage, LaunchPage)


async def test_the_filter_says_how_many_of_how_many(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("slash", *"state:fail", "enter")
        await until(stage, lambda: list(table(stage).keys) == ["7w2mh4ze"])
        await sees(stage, "1 of 5")
        await until(stage, lambda: stage.app.focused is table(stage))
        await stage.press("escape")
        await until(stage, lambda: table(stage).row_count == 5)
        await stage.press("slash", *"plate", "enter")
        await until(stage, lambda: list(table(stage).keys) == ["k3f9a2bc", "c81t5n0d"])
        await stage.press("slash", *" [/]")
        await sees(stage, "No run fits the filter")
        stage.app.screen.query_one(Input).value = "stat:failed"
        await sees(stage, "did you mean state:?")


async def test_enter_opens_the_run_and_escape_comes_back_to_it(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("down", "enter")
        await at(stage, RunPage)
        assert isinstance(stage.app.screen, RunPage) and stage.app.screen.run == "k3f9a2bc"
        await stage.press("escape")
        await at(stage, RunsPage)
        await until(stage, lambda: table(stage).cursor_key == "k3f9a2bc")


async def test_a_run_opened_first_has_the_runs_behind_it(home: Home) -> None:
    async with on_stage(home, run="k3f9a2bc") as stage:
        await stage.press("escape")
        await at(stage, RunsPage)
        await until(stage, lambda: table(stage).row_count == 5)


async def test_cancelling_asks_first_and_no_is_the_answer_of_enter(home: Home, asked: Asked) -> None:
    async with on_stage(home) as stage:
        await stage.press("down", "c")
        await at(stage, Confirm)
        text = words(stage)
        assert "Cancel run segment-plate-4 (805 of 1,000 done, 7 failed;" in text
        assert "2 running will be ended, 186 will not run)?" in text
        await stage.press("enter")
        await at(stage, RunsPage)
        await stage.press("c", "escape")
        assert asked == []
        await stage.press("c", "y")
        await until(stage, lambda: bool(asked))
        assert asked == [(RequestKind.CANCEL, CancelRequest(run="k3f9a2bc"))]
        await until(stage, lambda: "segment-plate-4 is being cancelled." in said(stage))


async def test_retrying_makes_a_new_run_of_what_failed(home: Home, asked: Asked) -> None:
    async with on_stage(home) as stage:
        await stage.press("end", "r", "y")
        await until(stage, lambda: bool(asked))
        kind, payload = asked[0]
        assert isinstance(payload, RetryRequest)
        assert (kind, payload.of) == (RequestKind.RETRY, "7w2mh4ze")
        await until(stage, lambda: bool(said(stage)))
        assert said(stage) == [f"2 tasks of measure run again, as run {payload.run}."]


@pytest.mark.parametrize(
    ("key", "row", "sentence"),
    [
        ("r", "k3f9a2bc", "segment-plate-4 is still running: cancel it or let it end, then retry."),
        ("r", "c81t5n0d", "All tasks of convert-plate-4 are done: there is nothing to retry."),
        ("c", "c81t5n0d", "convert-plate-4 has ended already (done): there is nothing to cancel."),
    ],
)
async def test_what_makes_no_sense_is_answered_in_a_sentence(
    home: Home, asked: Asked, key: str, row: str, sentence: str
) -> None:
    async with on_stage(home) as stage:
        table(stage).move_to(row)
        await stage.press(key)
        await until(stage, lambda: said(stage) == [sentence])
    assert asked == []


async def test_a_refusal_is_told_and_nothing_breaks(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise RefusedError("Run [/] is gone.")

    monkeypatch.setattr("runners.engine.asking.ask", refuse)
    async with on_stage(home) as stage:
        await stage.press("end", "r", "y")
        await until(stage, lambda: said(stage) == ["Run [/] is gone."])
        await sees(stage, "Run [/] is gone.")


async def test_read_only_is_shown_and_changes_nothing(home: Home, asked: Asked) -> None:
    async with on_stage(home, read_only=True) as stage:
        assert "read-only" in shown(stage).splitlines()[0]
        await stage.press("down")
        for key in ("c", "n", "r"):
            stage.app.clear_notifications()
            await stage.press(key)
            await at(stage, RunsPage)
            await until(stage, lambda: len(said(stage)) == 1)
            assert "read-only" in said(stage)[0]
        keys = shown(stage).splitlines()[-1]
        assert "launch" not in keys and "cancel" not in keys and "enter open" in keys
    assert asked == []


async def test_what_is_written_appears_and_the_cursor_stays_on_its_run(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("down")
        writer = Writer.open(home.database)
        stores.tell(writer, stores.Tale("newest00", "newest", items=["a", "b"]))
        with writer.change() as change:
            change.update("runs", {"id": "k3f9a2bc"}, {"state": State.FAILED.value, "ended": stores.T0})
        writer.close()
        await until(stage, lambda: "newest00" in list(table(stage).keys))
        assert next(iter(table(stage).keys)) == "newest00"
        await until(stage, lambda: table(stage).cursor_key == "k3f9a2bc")
        await sees(stage, "✗ failed    segment-plate-4")


async def test_a_store_that_goes_away_is_told_and_its_runs_stay(home: Home) -> None:
    async with on_stage(home) as stage:
        for path in home.state.glob("runyard.db*"):
            path.unlink()
        await until(stage, lambda: "the store can't be read" in shown(stage).splitlines()[0])
        await sees(stage, "segment-plate-4")
        assert "is gone" in said(stage)[0]


async def test_hostile_names_are_shown_and_act_on_nothing(tmp_path: Path) -> None:
    async with on_stage(make_home(tmp_path, stores.hostile), size=(120, 30)) as stage:
        screen = shown(stage)
        for name in ("[/]", "[red]x[/red]", "␛[31mred␛[0m", "two␊lines", "晶片 測試.tif", "tab␉and␍return"):
            assert name in screen
        assert "\x1b" not in screen and "\u202e" not in screen
        for number in (0, 2, 3):
            table(stage).move_to(f"host{number:04d}")
            await stage.press("c", "enter")
            await at(stage, RunPage)
            await stage.press("escape")


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
async def test_every_size_asks_its_whole_question(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, size=size) as stage:
        await stage.press("down", "c")
        await sees(stage, "Cancel run segment-plate-4", "not run)?", "Let it run", "Cancel the run")


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
async def test_every_size_shows_name_and_state(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, size=size) as stage:
        assert "● running" in shown(stage) and "segment-plate" in shown(stage)


async def test_a_tiny_terminal_is_told_so_until_it_grows(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.resize_terminal(39, 24)
        await stage.pause()
        await sees(stage, "Runyard needs 40 x 10.")
        await stage.resize_terminal(80, 24)
        await stage.pause()
        await at(stage, RunsPage)
        await sees(stage, "segment-plate-4")


async def test_help_lists_the_keys_of_the_screen_and_the_signs(home: Home) -> None:
    async with on_stage(home, size=(100, 50)) as stage:
        await stage.press("f1")
        text = shown(stage)
        assert "Help: Runs" in text and "Launch a command over many items" in text
        assert "⊘ cancelled    was stopped" in text
        assert "○ off, as of   it can't be started" in text
        await stage.press("escape")
        await at(stage, RunsPage)


async def test_the_palette_leads_to_a_run(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("ctrl+p")
        await stage.press(*"go to measure")
        await sees(stage, "Go to measure  7w2mh4ze")
        await stage.press("down", "enter")
        await at(stage, RunPage)
        assert isinstance(stage.app.screen, RunPage) and stage.app.screen.run == "7w2mh4ze"


@pytest.mark.parametrize(
    ("row", "keys", "not_keys"),
    [
        ("k3f9a2bc", ["c cancel"], ["r retry failed"]),
        ("p4v6r9qa", ["r retry failed"], ["c cancel"]),
        ("c81t5n0d", ["enter open"], ["r retry failed", "c cancel"]),
    ],
)
async def test_only_keys_that_can_do_something_are_among_the_hints(
    home: Home, row: str, keys: list[str], not_keys: list[str]
) -> None:
    async with on_stage(home) as stage:
        table(stage).move_to(row)

        def fits() -> bool:
            line = shown(stage).splitlines()[-1]
            return all(key in line for key in keys) and not any(key in line for key in not_keys)

        await until(stage, fits)


async def test_a_retry_asks_first_and_names_what_it_runs_again(home: Home, asked: Asked) -> None:
    async with on_stage(home) as stage:
        table(stage).move_to("p4v6r9qa")
        await stage.press("r")
        await sees(stage, "Retry 152 cancelled tasks of register-all as a new run?", "y yes", "n no")
        await stage.press("n")
        await at(stage, RunsPage)
        table(stage).move_to("7w2mh4ze")
        await stage.press("r")
        await sees(stage, "Retry 2 failed tasks of measure as a new run?")
        await stage.press("enter")
        await at(stage, RunsPage)
    assert asked == []


async def test_the_numbers_of_a_question_follow_what_happens(home: Home, asked: Asked) -> None:
    async with on_stage(home, size=(120, 30)) as stage:
        await stage.press("down", "c")
        await until(stage, lambda: "(805 of 1,000 done, 7 failed; 2 running will be ended," in words(stage))
        writer = Writer.open(home.database)
        with writer.change() as change:
            change.execute("UPDATE tasks SET state = 'done' WHERE run = 'k3f9a2bc' AND state = 'running'")
            change.recount("k3f9a2bc")
        await until(stage, lambda: "(807 of 1,000 done, 7 failed; 186 will not run)?" in words(stage))
        with writer.change() as change:
            change.update("runs", {"id": "k3f9a2bc"}, {"state": State.FAILED.value, "ended": stores.T0})
        writer.close()
        await until(stage, lambda: dashboard(stage).picture.runs["k3f9a2bc"].state is State.FAILED)
        await stage.press("y")
        await until(stage, lambda: said(stage) == [ENDED])
    assert asked == []


async def test_what_is_told_takes_the_place_of_what_was_told_before(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("down", "r", "down", "c")
        await until(stage, lambda: [sentence[:12] for sentence in said(stage)] == ["register-all"])
        # In the line above the keys, where the toast before it was.
        await until(stage, lambda: "▌  nothing to cancel." in shown(stage).splitlines()[-2])


async def test_an_engine_that_is_gone_is_started_again_once_while_runs_are_live(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine: it is not tried again in this test.
    monkeypatch.setattr("tui.keeper.PAUSE_S", 600.0)
    engine = Engine()
    async with on_stage(home, engine=lambda: engine.alive) as stage:
        logs = dashboard(stage).client
        assert isinstance(logs, Logs)
        engine.alive = False
        await sees(stage, "engine ○ starting")
        await until(stage, lambda: logs.started == 1)
        # Times of what nobody watches stand still; it was last seen a moment ago.
        assert dashboard(stage).now() == stores.T0
        engine.alive = True
        await sees(stage, "engine ● on")
        assert logs.started == 1


async def test_an_engine_that_cannot_be_started_is_told_once_and_what_is_seen_is_marked_as_old(
    home: Home,
) -> None:
    async with on_stage(home, engine=lambda: False, no_engine="The disk is full.") as stage:
        created = max(run.created for run in dashboard(stage).picture.runs.values())
        # When something was written last: a slot was heard of one second before the story's moment.
        heard = stores.T0 - 1
        assert created < heard
        clock = time.strftime("%H:%M:%S", time.localtime(heard))
        await sees(stage, f"engine ○ off, as of {clock}", "The disk is full.")
        assert dashboard(stage).now() == heard
        await sees(stage, "0:12:03")


async def test_a_read_only_dashboard_starts_no_engine(home: Home) -> None:
    async with on_stage(home, engine=lambda: False, read_only=True) as stage:
        await sees(stage, "engine ○ off, as of")
        logs = dashboard(stage).client
        assert isinstance(logs, Logs) and logs.started == 0


async def test_without_live_runs_there_is_no_need_for_an_engine(tmp_path: Path) -> None:
    home = make_home(tmp_path, stores.hostile)
    async with on_stage(home, engine=lambda: False) as stage:
        logs = dashboard(stage).client
        assert isinstance(logs, Logs) and logs.started == 0
        assert "engine ○ off " in shown(stage) and "as of" not in shown(stage)
        assert dashboard(stage).now() == stores.T0


async def test_the_palette_offers_each_action_once_by_its_full_name(home: Home) -> None:
    async with on_stage(home, run="k3f9a2bc", size=(120, 45)) as stage:
        await stage.press("ctrl+p")
        await sees(stage, "Show the batches", "Cancel the run", "Show the log of the task")
        names = [line.strip() for line in shown(stage).splitlines()]
        offered = [name for name in names if name in RunPage.NAMES.values()]
        assert "Show the log of the task" in offered and len(offered) == len(set(offered))
        assert "Cancel the run" in offered
        # A run that goes on can't be retried.
        assert "Retry what failed of the run" not in offered


PLACES = (Dashboard, RunsPage, RunPage, LaunchPage, CommandLogPage, CommandReply, Confirm, Ask)


def test_every_key_has_an_id_of_its_own_and_says_what_it_does() -> None:
    ids = [binding.id for where in PLACES for binding in where.BINDINGS if not isinstance(binding, tuple)]
    assert None not in ids
    assert len(ids) == len(set(ids))
    # Of a pair of keys that go two ways the first tells of both.
    assert all(
        binding.tooltip or not binding.show
        for where in PLACES
        for binding in where.BINDINGS
        if not isinstance(binding, tuple)
    )


async def test_a_click_on_a_key_presses_it(home: Home) -> None:
    async with on_stage(home) as stage:
        line = shown(stage).splitlines()[-1]
        await stage.click("KeyHints", offset=(line.index("/ filter"), 0))
        await until(stage, lambda: stage.app.focused is not table(stage))
        await sees(stage, "name:…")


async def test_a_classic_terminal_has_room_for_the_bar(home: Home) -> None:
    async with on_stage(home, size=(80, 24)) as stage:
        header, *rows = shown(stage).splitlines()[3:9]
        assert header.split() == ["state", "run", "progress", "done", "failed", "elapsed", "left"]
        assert "segment-plate-4" in rows[1] and "████████··" in rows[1]
