"""Clusters on the screens: what a person sees of those that are well, and of one that can't be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.batches import Line
from runners.config.home import Home
from runners.store.writer import Writer
from tests.tui import slurm_story
from tests.tui.slurm_story import ALPS, ETNA, HELD, LOST, RUN
from tests.tui.stage import Stage, make_home, on_stage, sees, shown, until
from tests.tui.stores import T0
from tui.widgets.batches_pane import BatchesPane
from tui.widgets.piece_line import PieceLine
from tui.widgets.resource_strip import ResourceStrip
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path, slurm_story.clusters)


def change_place(home: Home, resource: str, place: str, line: Line, *, questions: int = 0) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.keep_place(resource, "mira", place, line, now=T0, questions=questions)
    writer.close()


def runs(stage: Stage) -> VirtualTable:
    return stage.app.screen.query_one("#runs", VirtualTable)


async def test_the_strip_tells_how_each_cluster_in_use_stands(home: Home) -> None:
    async with on_stage(home, size=(120, 34)) as stage:
        top, etna, alps = shown(stage).splitlines()[:3]
        assert "local  2 running" in top and "alps" not in top
        assert etna.startswith(" ✗ unreachable  etna as mira  stale, as of 14:08:08  No answer from etna.ex")
        assert alps.split() == [
            *("●", "up", "alps", "as", "mira", "24", "ms"),
            *("2", "batches", "running,", "5", "pending", "just", "now"),
        ]


async def test_what_can_t_be_reached_stays_as_it_was_and_says_so(home: Home) -> None:
    async with on_stage(home, size=(120, 34)) as stage:
        runs(stage).move_to(LOST)
        await sees(stage, "denoise  etna can't be reached: No answer", " 14:08:08.\n")
        row = next(line for line in shown(stage).splitlines() if "denoise " in line and LOST in line)
        # Of the time since nobody has seen anything: it does not count.
        assert "✗ etna" in row and "52/80" in row and "0:34:48" in row
        change_place(home, "etna", ETNA, Line(True, 0.03))
        await sees(stage, "● up  etna as mira", "0:40:00")
        assert "can't be reached" not in shown(stage)


async def test_a_run_that_is_held_says_why(home: Home) -> None:
    async with on_stage(home) as stage:
        runs(stage).move_to(HELD)
        await sees(stage, "measure-plate-7  waiting: the site takes no more jobs of yours")
        runs(stage).move_to(RUN)
        await until(stage, lambda: "measure-plate-7  waiting" not in shown(stage))


async def test_many_clusters_fit_and_the_last_line_says_how_many_more(home: Home) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        for name in ("bern", "chur", "davos", "eiger"):
            line = Line(False, None, "Gone.") if name == "eiger" else Line(True, 0.01)
            change.keep_place(name, "mira", f"ssh:mira@{name}", line, now=T0, questions=int(name == "davos"))
            change.execute(
                "INSERT INTO runs (id, name, resource, profile, state, created, folder, workdir, spec, "
                "revision) VALUES (?, ?, ?, 'mira', 'running', 0, '/', '/', '{}', ?)",
                (name, name, name, change.revision),
            )
    writer.close()
    async with on_stage(home) as stage:
        await sees(stage, "? asks         davos as mira", "eiger as mira", "+4 more")
        assert stage.app.screen.query_one(ResourceStrip).size.height == 2
        await stage.resize_terminal(160, 45)
        await sees(stage, "etna as mira", "bern as mira", "+1 more")


async def test_without_clusters_there_is_no_strip(tmp_path: Path) -> None:
    home = make_home(tmp_path, None)
    async with on_stage(home) as stage:
        assert stage.app.screen.query_one(ResourceStrip).size.height == 0
        assert shown(stage).splitlines()[2].split() == ["Runs", "0"]


async def test_other_screens_tell_of_clusters_in_their_first_line(home: Home) -> None:
    async with on_stage(home, run=RUN, size=(120, 34)) as stage:
        top = shown(stage).splitlines()[0]
        assert "etna ✗ unreachable   local  2 running, 2 cores   alps ● up  2 run 5 pend" in top
        await stage.resize_terminal(80, 24)
        await until(stage, lambda: "+2 more" in shown(stage).splitlines()[0])


async def test_the_head_of_a_run_tells_that_it_can_t_be_seen(home: Home) -> None:
    async with on_stage(home, run=LOST, size=(140, 34)) as stage:
        await sees(stage, "denoise  9e7t0ut2  on etna as mira", "etna can't be reached: No answer from etna")
        assert "0:34:48" in shown(stage)
        change_place(home, "etna", ETNA, Line(None), questions=1)
        await sees(stage, "etna asks something before it can be reached: F2 shows what.")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_batches_show_job_state_reason_nodes_elapsed_and_limit(
    home: Home, size: tuple[int, int]
) -> None:
    async with on_stage(home, run=RUN, size=size) as stage:
        await stage.press("2")
        table = stage.app.screen.query_one(BatchesPane).table
        token = f"ry-{RUN}-00%d-abcdefgh"
        await sees(stage, "↻ requeued", "40117", "cn11", "0:08:02")
        table.move_to(token % 2)
        await sees(stage, "✗ batch 2 failed  out of memory: asked 2 GB, reached 3.1 GB")
        await sees(stage, "job 40116   worker left   SLURM says OUT_OF_MEMORY   on 1 × cn09")
        table.move_to(token % 7)
        await sees(stage, "○ batch 7 pending  waiting for jobs with higher priority")
        await sees(stage, "job 40121   SLURM says PENDING (Priority)   limit 2:00:00")
        if size == (80, 24):
            await stage.press("e")
        await sees(stage, "long,main   slots 4", "partition")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_batch_tells_what_to_do_about_it(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, run=RUN, size=size) as stage:
        await stage.press("2")
        table = stage.app.screen.query_one(BatchesPane).table
        token = f"ry-{RUN}-00%d-abcdefgh"
        table.move_to(token % 2)
        await sees(stage, "fix Try more memory; how", f"runyard retry {RUN} --mem 5G", "job 40116")
        table.move_to(token % 7)
        await sees(stage, "fix Nothing to do, it starts when its turn comes.", "--start -j 40121")
        # Where nothing is to be told, nothing moves.
        before = shown(stage).splitlines().index(" Slots  8 of 8 busy")
        table.move_to(token % 3)
        await until(stage, lambda: "fix " not in shown(stage))
        assert shown(stage).splitlines().index(" Slots  8 of 8 busy") == before


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_task_tells_what_to_do_about_it(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, run=RUN, size=size) as stage:
        await stage.press("f")
        await sees(stage, "task 117 failed", "out of memory: asked 2 GB, reached 3.1 GB")
        await sees(stage, "fix Try more memory; how", f"runyard retry {RUN} --mem 5G")


@pytest.mark.parametrize(
    ("reason", "columns", "told", "style"),
    [
        ("Priority", {}, "Waiting for jobs with higher priority. Nothing to do, it starts", "muted"),
        ("JobHeldUser", {"native_id": "7"}, "Held by its owner. Let it go: scontrol release 7", "warning"),
        (
            "None",
            {"scheduler_state": "SPECIAL_EXIT"},
            "Held: it was put back with a special exit.",
            "warning",
        ),
        ("PartitionTimeLimit", {}, "Can't start: its time limit is longer than the partition", "warning"),
    ],
)
async def test_the_head_tells_what_all_of_a_run_waits_for(
    home: Home, reason: str, columns: dict[str, str], told: str, style: str
) -> None:
    writer = Writer.open(home.database)
    slurm_story.all_wait(writer, reason, **columns)
    writer.close()
    async with on_stage(home, run=RUN, size=(120, 34)) as stage:
        await sees(stage, told)
        pieces = stage.app.screen.query_one("#why", PieceLine).line(0).pieces
        assert {each for text, each in pieces if text.strip() and "e shows all" not in text} == {style}


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Resources", "9 of 10 batches: waiting for jobs with higher priority. Nothing to do"),
        # What somebody has to do something about goes before.
        ("JobHeldUser", "1 of 10 batches: held by its owner. Let it go: scontrol release 40117"),
    ],
)
async def test_the_head_tells_how_many_wait_for_it(home: Home, reason: str, told: str) -> None:
    writer = Writer.open(home.database)
    slurm_story.all_wait(writer, "Priority")
    with writer.change() as change:
        change.update("batches", {"run": RUN, "number": 3}, {"scheduler_reason": reason})
    writer.close()
    async with on_stage(home, run=RUN, size=(120, 34)) as stage:
        await sees(stage, told)


async def test_what_clusters_say_is_shown_and_acts_on_nothing(home: Home) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.update(
            "batches",
            {"number": 9, "run": RUN},
            {
                "scheduler_reason": "\x1b[2J[/]",
                "hosts": "[red]cn[/red]",
                "scheduler_state": "PENDING",
                "native_id": "7;[/]\x1b[31m",
                "host": "\u202ehost",
            },
        )
        change.keep_place("alps", "mira", ALPS, Line(False, None, "[/] \x1b[2J [red]x"), now=T0)
        change.update("runs", {"id": HELD}, {"reason": "[/]\x1b]0;t\x07"})
    writer.close()
    async with on_stage(home, size=(160, 45)) as stage:
        await sees(stage, "[/] ␛[2J [red]x")
        await stage.press("enter")
        await stage.press("escape")
        runs(stage).move_to(RUN)
        await stage.press("enter")
        await sees(stage, "segment-plate-7")
        await stage.press("2", "end")
        await sees(stage, "7 on [/]␛[31m", "␛[2J[/]", "[red]cn[/red]", "alps can't be reached: [/] ␛[2J")
        assert "\x1b" not in shown(stage)


async def test_a_task_whose_cancel_is_on_its_way_says_so(home: Home) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.update("tasks", {"run": LOST, "index": 52}, {"cancelling": 1})
    writer.close()
    async with on_stage(home, run=LOST) as stage:
        await stage.press("f")
        table = stage.app.screen.query_one("#task-table", VirtualTable)
        table.move_to("52")
        await sees(stage, "● cancelli…")


async def test_the_help_explains_how_clusters_stand(home: Home) -> None:
    async with on_stage(home, size=(100, 60)) as stage:
        await stage.press("question_mark")
        await sees(stage, "● up           the last look", "✗ unreachable  what is shown", "? asks", "F2")


def test_the_story_is_what_the_store_would_hold(home: Home) -> None:
    writer = Writer.open(home.database)
    counts = [row.counts for row in writer.batches(RUN)]
    writer.close()
    assert {sum(each.as_dict().values()) for each in counts} == {50}
    assert sum(each.failed for each in counts) == 1 and counts[3].running == 4
