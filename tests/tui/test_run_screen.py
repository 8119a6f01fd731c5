"""The Run screen: tasks, batches, logs."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from pydantic import BaseModel
from textual.widgets import TabbedContent

import tui.feed
from runners.config.home import Home
from runners.requests import CancelRequest, RequestKind, RetryRequest
from runners.states import State
from runners.store.reader import Reader
from runners.store.writer import Writer
from tests.tui import stores
from tests.tui.stage import Stage, at, make_home, on_stage, sees, shown, until
from tui.dashboard import Dashboard
from tui.feed import Gatherer, RunPicture
from tui.screens.confirm import Confirm
from tui.screens.run import RunPage
from tui.screens.runs import RunsPage
from tui.screens.whole_text import WholeText
from tui.widgets.log_view import LogView
from tui.widgets.virtual_table import VirtualTable

RUN = "k3f9a2bc"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, stores.typical)


def tasks(stage: Stage) -> VirtualTable:
    return stage.app.screen.query_one("#task-table", VirtualTable)


def tab(stage: Stage) -> str:
    return stage.app.screen.query_one(TabbedContent).active


async def test_the_head_says_what_the_run_is_and_why_it_failed(home: Home) -> None:
    async with on_stage(home, size=(110, 30), run=RUN) as stage:
        lines = shown(stage).splitlines()
        assert lines[2].split()[:4] == ["●", "running", "segment-plate-4", RUN]
        assert lines[2].endswith("0:12:04, ~4 min left")
        assert lines[3].endswith("805/1,000 done  7 failed  2 running  1.1/s")
        reasons = "4× exit code 3, 1× out of memory, 1× time limit of 60 s reached, 1× killed by SIGSEGV"
        assert lines[4] == f" 7 tasks failed: {reasons}"


async def test_what_has_no_room_is_marked_and_e_shows_it(home: Home) -> None:
    async with on_stage(home, run=RUN) as stage:
        tasks(stage).move_to("97")
        await sees(stage, "time limit …  e shows all", "─ e shows all ─", "✗ task 97 failed")
        await stage.press("e")
        await at(stage, WholeText)
        await sees(
            stage, "60 s reached, 1× killed by SIGSEGV", "task 97 failed", "/field_0097.npy", "on node-1"
        )
        await stage.press("escape", "home")
        await sees(stage, "✓ task 0 done")
        # Whatever has room: all of it can be asked for. On the batches it is that of a batch.
        await stage.press("2", "e")
        await at(stage, WholeText)
        await sees(stage, "1× killed by SIGSEGV", "● batch 0 running", "/srv/jobs/k3f9a2bc")
        await stage.press("q", "3", "e")
        await at(stage, WholeText)
        await sees(stage, "✓ task 0 done")
    async with on_stage(home, size=(160, 45), run=RUN) as stage:
        await sees(stage, "✓ task 0 done", "1× killed by SIGSEGV")
        assert "e shows all" not in shown(stage)


async def test_a_run_that_is_not_there_is_told(home: Home) -> None:
    async with on_stage(home, run="nowhere0") as stage:
        await sees(stage, "There is no run nowhere0.", "It has no tasks.")
        await stage.press("f", "enter", "2", "3", "x", "c", "r", "escape")


async def test_the_first_picture_has_the_run_that_is_shown_first(home: Home) -> None:
    with patch.object(Gatherer, "look", autospec=True, side_effect=Gatherer.look) as look:
        async with on_stage(home, run=RUN):
            assert look.call_args_list[0].args[1] == RUN


async def test_a_page_has_the_styles_of_the_terminals_size_from_the_beginning(home: Home) -> None:
    async with on_stage(home, size=(160, 24)) as stage:
        assert isinstance(stage.app, Dashboard)
        stage.app.open_run(RUN)
        assert isinstance(stage.app.screen, RunPage)
        assert stage.app.screen.classes >= {"-wide", "-low"}
        assert not stage.app.screen.is_mounted
        await at(stage, RunPage)
        await sees(stage, RUN)
        assert stage.app.screen.classes.isdisjoint({"-narrow", "-flat", "-high"})


async def test_tasks_are_filtered_by_state_and_by_words(home: Home) -> None:
    async with on_stage(home, run=RUN) as stage:
        await until(stage, lambda: tasks(stage).row_count == 1000)
        await stage.press("f")
        await until(
            stage, lambda: list(tasks(stage).keys) == ["97", "181", "305", "306", "511", "640", "777"]
        )
        await sees(stage, "7 of 1,000  failed only")
        await stage.press("f")
        await until(stage, lambda: list(tasks(stage).keys) == ["812", "813"])
        await stage.press("f", "f", "f")
        await until(stage, lambda: tasks(stage).row_count == 1000)
        await stage.press("slash", *"reason:memory", "enter")
        await until(stage, lambda: list(tasks(stage).keys) == ["181"])
        await stage.press("escape")
        await until(stage, lambda: tasks(stage).row_count == 1000)
        await at(stage, RunPage)


async def test_the_task_under_the_cursor_is_told_in_full(home: Home) -> None:
    async with on_stage(home, size=(100, 30), run=RUN) as stage:
        tasks(stage).move_to("181")
        await stage.pause()
        detail = "\n".join(shown(stage).splitlines()[-7:-1])
        assert "✗ task 181 failed  item /srv/data/plate-4/convert/field_0181.tif" in detail
        for part in (
            "out of memory   signal SIGKILL",
            "wall 2.7 s",
            "CPU 2.5 s (93 %)",
            "memory 191 MB",
            "log 2,048 bytes",
        ):
            assert part in detail
        assert "slot 1   batch 0   on node-1" in detail
        await sees(stage, "command python3 segment.py --channel=nuclei", "masks/field_0181.npy")


async def test_what_a_failed_task_said_last_is_told_once_the_cursor_rests(home: Home) -> None:
    logs = {
        (RUN, 97): b"begun\n  File x\nSyntaxError: invalid syntax\n",
        (RUN, 305): b"No such file\n",
        (RUN, 5): b"fine",
    }
    async with on_stage(home, run=RUN, logs=logs) as stage:
        await stage.press("f")
        await sees(stage, "says  SyntaxError: invalid syntax")
        await stage.press("down")
        assert "says" not in shown(stage)
        await stage.press("down")
        await sees(stage, "says  No such file")
        await stage.press("escape")
        tasks(stage).move_to("5")
        await stage.pause(0.5)
        assert "says" not in shown(stage)


async def test_the_detail_has_more_lines_where_there_is_room(home: Home) -> None:
    logs = {(RUN, 97): b"".join(b"line %d\n" % n for n in range(40))}
    async with on_stage(home, run=RUN, logs=logs, size=(80, 24)) as stage:
        await stage.press("f")
        await sees(stage, "says  line 39")
        assert "line 38" not in shown(stage)
        await stage.resize_terminal(80, 45)
        await sees(stage, "says  line 35", "      line 38", "      line 39")


async def test_the_command_of_a_task_is_the_one_that_ran(home: Home) -> None:
    workflow = {
        "name": "w",
        "steps": [{"name": "pack", "shell": True, "command": "gzip -kc {item} > {index}.gz"}],
    }
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.update("runs", {"id": RUN}, {"spec": json.dumps({"workflow": workflow})})
    writer.close()
    async with on_stage(home, size=(120, 30), run=RUN) as stage:
        tasks(stage).move_to("97")
        await sees(stage, "command gzip -kc '/srv/data/plate-4/align/field_0097.tif' > '97'.gz")


async def test_tasks_that_run_show_what_they_take(home: Home) -> None:
    async with on_stage(home, run=RUN, size=(120, 30)) as stage:
        await stage.press("f", "f")
        await sees(stage, "0:00:12   210 MB   98 %", "wall 0:00:12   CPU 98 %   memory 210 MB")
        writer = Writer.open(home.database)
        with writer.change() as change:
            change.update("slots", {"run": RUN, "slot": 0}, {"cpu_percent": 41.0, "rss_mb": 7.0})
        writer.close()
        await sees(stage, "0:00:12   <16 MB   41 %", "wall 0:00:12   CPU 41 %   memory <16 MB")


async def test_a_run_of_several_steps_says_where_it_is(tmp_path: Path) -> None:
    def tell(writer: Writer) -> None:
        stores.typical(writer)
        with writer.change() as change:
            step = {"run": RUN, "position": 1, "name": "report", "type": "non_parallel", "command": "make"}
            change.insert("steps", {**step, "state": State.PENDING.value})
            change.add_tasks(RUN, [(1000, 1, "", None, 0)])
            change.execute(
                'UPDATE tasks SET fields = ? WHERE run = ? AND "index" = 3',
                ('{"plate": "P1", "well": "A01"}', RUN),
            )
            change.recount(RUN)

    async with on_stage(make_home(tmp_path, tell), run=RUN) as stage:
        lines = shown(stage).splitlines()
        assert lines[4] == " step 1 of 2  ● segment-plate-4 805/1,000  ·  then ○ report"
        titles = next(line for line in lines if " state " in line)
        assert titles.split() == ["state", "step", "task", "item", "reason", "time"]
        assert any(line.split()[2:6] == ["segment-p…", "3", "P1", "A01"] for line in lines)
        await stage.press("end")
        await sees(stage, "report       1000 (all items)")
        await stage.press("slash", *"step:report", "enter")
        await until(stage, lambda: list(tasks(stage).keys) == ["1000"])
        await stage.press("2")
        await sees(stage, "○ pending report: starts when segment-plate-4 is done")


async def test_a_run_of_one_step_has_no_column_for_it(home: Home) -> None:
    async with on_stage(home, run=RUN, size=(160, 30)) as stage:
        titles = next(line for line in shown(stage).splitlines() if " state " in line)
        assert titles.split() == ["state", "task", "item", "reason", "time", "memory", "CPU", "slot"]
        assert "step 1" not in shown(stage)


async def test_escape_drops_the_words_then_the_state_then_leaves(home: Home) -> None:
    async with on_stage(home, run=RUN) as stage:
        await until(stage, lambda: tasks(stage).row_count == 1000)
        await stage.press("f", "slash", *"reason:memory", "enter")
        await until(stage, lambda: tasks(stage).row_count == 1)
        await stage.press("escape")
        await until(stage, lambda: tasks(stage).row_count == 7)
        await stage.press("escape")
        await until(stage, lambda: tasks(stage).row_count == 1000)
        await at(stage, RunPage)
        await stage.press("escape")
        await at(stage, RunsPage)


async def test_tasks_that_change_are_drawn_and_leave_their_filter(home: Home) -> None:
    async with on_stage(home, run=RUN) as stage:
        await stage.press("f", "f")
        await until(stage, lambda: list(tasks(stage).keys) == ["812", "813"])
        writer = Writer.open(home.database)
        with writer.change() as change:
            change.update(
                "tasks", {"run": RUN, "index": 812}, {"state": State.DONE.value, "ended": stores.T0}
            )
            change.update("tasks", {"run": RUN, "index": 814}, {"state": State.RUNNING.value})
            change.recount(RUN)
        writer.close()
        await until(stage, lambda: list(tasks(stage).keys) == ["813", "814"])
        await sees(stage, "806/1,000 done")


async def test_batches_show_their_live_slots(home: Home) -> None:
    async with on_stage(home, run=RUN) as stage:
        await stage.press("2")
        text = shown(stage)
        assert "● running       0     2   805/1,000      7  0:12:04 pid 4242     node-1" in text
        assert "worker pid 4242, at work   on node-1   elapsed 0:12:04   slots 2" in text
        assert "Slots  2 of 2 busy" in text
        slot = next(line for line in text.splitlines() if "field_0812.tif  #812" in line)
        assert slot.split()[-5:] == ["0:00:12", "98", "%", "210", "MB"]


async def test_a_local_batch_is_known_by_its_process(home: Home) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.update("batches", {"run": RUN}, {"native_id": "1234567.890"})
    writer.close()
    async with on_stage(home, run=RUN) as stage:
        await stage.press("2")
        await sees(stage, "pid 1234567")


async def test_a_run_that_has_ended_has_no_live_slots(home: Home) -> None:
    async with on_stage(home, run="7w2mh4ze") as stage:
        await stage.press("2")
        await sees(stage, "none live")


async def test_enter_shows_the_log_and_escape_leads_back_to_the_task(home: Home) -> None:
    log = b"".join(b"line %d\n" % number for number in range(500)) + b"the last word\n"
    async with on_stage(home, run=RUN, logs={(RUN, 97): log}) as stage:
        await stage.press("f", "home", "enter")
        await sees(stage, "the last word")
        await until(stage, lambda: tab(stage) == "log")
        await sees(stage, "✗ task 97 failed  item /srv/data/plate-4/align/field_0097.tif  exit code 3")
        await stage.press("escape")
        await until(stage, lambda: tab(stage) == "tasks")
        await until(stage, lambda: tasks(stage).cursor_key == "97")
        await until(stage, lambda: stage.app.focused is tasks(stage))


async def test_brackets_lead_to_the_logs_of_the_other_failed_tasks(home: Home) -> None:
    logs = {(RUN, index): b"here is %d\n" % index for index in (97, 181, 777)}
    async with on_stage(home, run=RUN, logs=logs) as stage:
        tasks(stage).move_to("97")
        await stage.press("enter")
        await sees(stage, "here is 97", "[ ] other failed", "ended, 1 line")
        await stage.press("right_square_bracket")
        await sees(stage, "here is 181", "task 181 failed")
        await stage.press("left_square_bracket", "left_square_bracket")
        await sees(stage, "here is 777", "task 777 failed")
        await stage.press("escape")
        await until(stage, lambda: tasks(stage).cursor_key == "777")
        assert "other failed" not in shown(stage)


async def test_the_log_of_a_running_task_is_followed(home: Home) -> None:
    async with on_stage(home, run=RUN, logs={(RUN, 812): b"begun\n"}) as stage:
        tasks(stage).move_to("812")
        await stage.press("enter")
        await sees(stage, "begun", "● following   1 line")
        logs = stage.app.client.logs  # type: ignore[attr-defined]  # the stage's own client
        logs[(RUN, 812)] += b"gone on\n"
        await sees(stage, "gone on")


async def test_a_hostile_log_sends_nothing_to_the_terminal(home: Home) -> None:
    log = b"\x00\x1b[2J\x1b]0;owned\x07\xff\xfe[/red] [bold]\r\n" * 50
    async with on_stage(home, run=RUN, logs={(RUN, 97): log}) as stage:
        tasks(stage).move_to("97")
        await stage.press("enter")
        await sees(stage, "[/red] [bold]")
        assert "\x1b" not in shown(stage) and "\x07" not in shown(stage)


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("999", "This task has not started: there is no log."),
        ("5", "This task has said nothing: its log is empty."),
        ("97", "Task 97 of run k3f9a2bc has no log."),
    ],
)
async def test_why_there_is_no_log_is_said(home: Home, task: str, sentence: str) -> None:
    async with on_stage(home, run=RUN) as stage:
        tasks(stage).move_to(task)
        await stage.press("enter")
        await sees(stage, sentence)
        assert stage.app.screen.query_one(LogView).display


async def test_cancelling_a_task_names_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[RequestKind, BaseModel]] = []

    async def ask(home: Home, kind: RequestKind, payload: BaseModel, **_: Any) -> None:
        asked.append((kind, payload))

    monkeypatch.setattr("runners.engine.asking.ask", ask)
    async with on_stage(home, run=RUN) as stage:
        tasks(stage).move_to("812")
        await stage.press("x")
        await at(stage, Confirm)
        await sees(stage, "Cancel task 812 of run segment-plate-4")
        await stage.press("right", "enter")
        await until(stage, lambda: bool(asked))
        assert asked == [(RequestKind.CANCEL, CancelRequest(run=RUN, task=812))]
        tasks(stage).move_to("97")
        await stage.press("x")
        await sees(stage, "Task 97 has ended already (failed)")
        await at(stage, RunPage)


async def test_retrying_goes_to_the_new_run(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(home: Home, kind: RequestKind, payload: BaseModel, **_: Any) -> None:
        assert isinstance(payload, RetryRequest)
        writer = Writer.open(home.database)
        stores.tell(writer, stores.Tale(payload.run, "measure again", items=["a", "b"]))
        writer.close()

    monkeypatch.setattr("runners.engine.asking.ask", ask)
    async with on_stage(home, run="7w2mh4ze") as stage:
        await stage.press("r", "y")
        await until(stage, lambda: "measure again" in shown(stage) and "Tasks  2" in shown(stage))
        await stage.press("escape")
        await sees(stage, "measure again")


async def test_a_large_run_is_there_at_once_and_soon_in_full(tmp_path: Path) -> None:
    home = make_home(tmp_path, lambda writer: stores.large(writer, 3_000))
    async with on_stage(home, run="b1gb1gb1") as stage:
        await until(stage, lambda: tasks(stage).row_count == 3_000)
        await stage.press("end")
        await until(stage, lambda: tasks(stage).cursor_key == "2999")


async def test_hostile_items_are_shown_as_typed(tmp_path: Path) -> None:
    async with on_stage(make_home(tmp_path, stores.hostile), size=(120, 30), run="host0000") as stage:
        text = shown(stage)
        for item in (
            "[/]",
            "[red]x[/red]",
            "␛[31mred␛[0m",
            "two␊lines",
            "晶片 測試.tif",
            "{item} $(touch x)",
        ):
            assert item in text
        await stage.press("f", "enter", "escape", "2", "1", "x", "question_mark", "escape")
        assert "\x1b" not in shown(stage)


async def test_what_short_items_do_not_need_is_for_the_reasons(tmp_path: Path) -> None:
    reason = "out of memory: asked 100 MB, reached 105 MB"
    tale = stores.Tale(
        "aaaa1111",
        "align",
        State.FAILED,
        [str(number) for number in range(40)],
        rest=State.FAILED,
        reasons=dict.fromkeys(range(40), reason),
        ended=60.0,
    )
    async with on_stage(make_home(tmp_path, lambda writer: stores.tell(writer, tale)), run=tale.id) as stage:
        await sees(stage, "    0 0     out of memory: asked 100 MB, reac…", "time   memory")
        lines = shown(stage).splitlines()
        title = next(line for line in lines if " reason " in line)
        # It does not jump while one scrolls.
        await stage.press("end")
        await sees(stage, "   39 39    out of memory: asked 100 MB, reac…")
        assert title in shown(stage).splitlines()


async def test_as_long_as_the_tasks_are_read_nobody_is_told_of_a_filter(home: Home) -> None:
    read, let = tui.feed._run_picture, Event()

    def look(reader: Reader, run: str, old: RunPicture | None, since: int) -> RunPicture:
        begun = old if old is not None and old.tasks else None
        return read(reader, run, begun, since) if let.is_set() else RunPicture(run)

    with patch("tui.feed._run_picture", look):
        async with on_stage(home) as stage:
            assert isinstance(stage.app, Dashboard)
            stage.app.open_run("7w2mh4ze")
            await at(stage, RunPage)
            await sees(stage, "Tasks  0  reading…")
            table = shown(stage).split("Tasks  0  reading…")[1]
            assert "reading…" in table and "filter" not in table.split("esc back")[0]
            let.set()
            await until(stage, lambda: tasks(stage).row_count == 500)
            await until(stage, lambda: "reading…" not in shown(stage))
            await stage.press("slash", *"nothing", "enter")
            await sees(stage, "No task fits the filter.")
