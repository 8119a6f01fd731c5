"""The Edit screen: form, JSON, plan and script are in step; saving shows the difference and loses nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input, TextArea

from runners.config.files import read_resource
from runners.config.home import Home
from tests.clusters import add_cluster
from tests.tui.drafting import kept_draft
from tests.tui.stage import Stage, at, make_home, on_stage, sees, shown, until
from tui.drafts import DraftFile
from tui.forms.spec import Path as FieldPath
from tui.messages import OpenField
from tui.screens.confirm import Confirm
from tui.screens.difference import Difference
from tui.screens.edit import EditPage
from tui.screens.resources import ResourcesPage
from tui.subject import Subject
from tui.widgets.beside import Pane

DEFAULT = ("jobs_runner_config", "default_slurm_config")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("tui.screens.edit.LOOK_S", 0.05)
    home = make_home(tmp_path / "home", None)
    add_cluster(home, "uzh", "slurm_ssh", host="login.uzh.example")
    return home


def file_of(home: Home) -> Path:
    return home.resources / "uzh" / "resource.json"


def saved(home: Home) -> dict[str, Any]:
    document = json.loads(file_of(home).read_text())
    assert isinstance(document, dict)
    return document


async def opened(stage: Stage, field: str = "", profile: str | None = None, name: str = "uzh") -> EditPage:
    """The form of `uzh`, at this field."""
    stage.app.post_message(OpenField(name, profile, field))
    await at(stage, EditPage)
    page = stage.app.screen
    assert isinstance(page, EditPage)
    await until(stage, lambda: page.form.has_focus_within or page.beside.has_focus_within)
    await stage.pause()
    return page


async def put(stage: Stage, page: EditPage, path: FieldPath, text: str) -> None:
    """Type this in place of what stands in the field."""
    page.form.go_to(path)
    await until(stage, lambda: page.form.path == path and page.form.has_focus_within)
    assert isinstance(stage.app.focused, Input)
    await stage.press("end", *["backspace"] * len(stage.app.focused.value), *text)
    await until(stage, lambda: page.draft.text(path) == text)


async def saves(stage: Stage) -> None:
    """Save, and agree to the difference."""
    await stage.press("ctrl+s")
    await at(stage, Difference)
    await stage.press("y")
    await at(stage, EditPage)


async def test_a_line_in_which_nobody_has_typed_does_not_keep_it_from_being_saved(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage, "tasks_python_config.versions.3.12")
        assert isinstance(stage.app.focused, Input)
        await stage.press("enter", "end", "9", "enter")
        await until(stage, lambda: page.draft.size(("tasks_python_config", "versions")) == 2)
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await sees(stage, 'python3.129"')
        await stage.press("y")
        await sees(stage, "Saved resource uzh")
        await until(stage, lambda: "changed, not saved" not in shown(stage))
    assert len(saved(home)["tasks_python_config"]["versions"]) == 1


@pytest.mark.parametrize("field", ["type", "jobs_runner_config.gpu_slurm_config", "host"])
async def test_the_check_is_offered_wherever_one_is(home: Home, field: str) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage, field)
        await until(stage, lambda: page.draft.dotted(page.form.path) == field)
        await sees(stage, "^s save  esc leave  F8 check")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_what_is_typed_is_saved_after_the_difference_was_shown(
    home: Home, size: tuple[int, int]
) -> None:
    before = file_of(home).read_bytes()
    async with on_stage(home, size=size) as stage:
        page = await opened(stage, "jobs_runner_config.default_slurm_config.mem")
        await sees(stage, "resource uzh")
        assert page.form.path == (*DEFAULT, "mem")
        await put(stage, page, (*DEFAULT, "mem"), "3G")
        await sees(stage, "= 3,000 MB", "changed, not saved")
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await sees(stage, '-      "mem": 100', '+      "mem": "3G"')
        assert file_of(home).read_bytes() == before
        await stage.press("y")
        await sees(stage, "Saved resource uzh; the version before it is")
        await until(stage, lambda: "changed, not saved" not in shown(stage))
        await stage.press("ctrl+s")
        await sees(stage, "There is nothing to save")
    assert saved(home)["jobs_runner_config"]["default_slurm_config"]["mem"] == "3G"
    assert read_resource(home.resources, "uzh").value.name == "uzh"
    assert file_of(home).with_name("resource.json~").read_bytes() == before


async def test_the_difference_is_shown_without_saving(home: Home) -> None:
    before = file_of(home).read_bytes()
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "other.example")
        await stage.press("f7")
        await at(stage, Difference)
        await sees(stage, "What differs from the file", '+  "host": "other.example"')
        # There is nothing to agree to.
        await stage.press("y")
        await at(stage, Difference)
        await stage.press("enter")
        await at(stage, EditPage)
        assert page.draft.text(("host",)) == "other.example"
    assert file_of(home).read_bytes() == before


async def test_nothing_is_saved_with_errors_and_the_first_is_in_focus(home: Home) -> None:
    before = file_of(home).read_bytes()
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, ("jobs_runner_config", "batching_config", "max_num_jobs"), "many")
        await put(stage, page, (*DEFAULT, "mem"), "lots")
        page.form.go_to(("host",))
        await until(stage, lambda: page.form.path == ("host",))
        await stage.press("ctrl+s")
        await sees(stage, "Nothing was saved: 2 fields have errors")
        await until(stage, lambda: page.form.path == (*DEFAULT, "mem"))
        await sees(stage, "✗ 2 errors", "✗ mem must be memory")
        await at(stage, EditPage)
    assert file_of(home).read_bytes() == before


async def test_form_and_json_are_in_step_both_ways(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "other.example")
        area = page.query_one(TextArea)
        await until(stage, lambda: '"host": "other.example"' in area.text)
        await stage.press("f3")
        await until(stage, lambda: stage.app.focused is area)
        area.text = area.text.replace("other.example", "third.example")
        await until(stage, lambda: page.draft.text(("host",)) == "third.example")
        await sees(stage, " third.example ")
        # Half-typed text is told, and the form keeps what it had.
        area.text = area.text.rstrip()[:-1]
        await sees(stage, "Not valid JSON")
        assert page.draft.text(("host",)) == "third.example"
        await stage.press("ctrl+s")
        await sees(stage, "Nothing was saved")
        await stage.press("escape")
        await until(stage, lambda: page.form.has_focus_within)
        # The form goes on from what it had.
        await stage.press("ctrl+z")
        await until(stage, lambda: page.draft.text(("host",)) == "other.example")
    assert saved(home)["host"] == "login.uzh.example"


async def test_plan_and_script_of_a_sample_follow_the_draft(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await stage.press("f4")
        await sees(stage, "batches", "4 of up to 25 tasks", "because")
        page.query_one("#sample-tasks", Input).value = "10"
        await sees(stage, "2 of up to 8 tasks")
        page.query_one("#sample-mem", Input).value = "lots"
        await sees(stage, "No plan.", "mem must be memory")
        page.query_one("#sample-mem", Input).value = "2G"
        await until(stage, lambda: "No plan." not in shown(stage))
        await sees(stage, "8 GB for each batch")
        await stage.press("f5")
        await sees(stage, "#SBATCH --partition=main", "--output=/jobs/")
        await put(stage, page, (*DEFAULT, "partition"), "night")
        await sees(stage, "#SBATCH --partition=night")
        await put(stage, page, (*DEFAULT, "time"), "a b")
        await sees(stage, "No script.", "time must not hold")
        await put(stage, page, (*DEFAULT, "mem"), "x")
        await sees(stage, "There is none while the configuration has errors.")


async def test_by_mouse_alone_but_for_what_is_typed(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:

        async def click(text: str, times: int = 1) -> None:
            await sees(stage, text)
            lines = shown(stage).splitlines()
            y = next(n for n in range(len(lines)) if text in lines[n])
            await stage.click(offset=(lines[y].index(text) + 1, y), times=times)

        await click("R resources")
        await at(stage, ResourcesPage)
        await click("uzh ", times=2)
        await at(stage, EditPage)
        page = stage.app.screen
        assert isinstance(page, EditPage)
        await click(" default ")
        await click("100 ")
        await until(stage, lambda: page.form.path == (*DEFAULT, "mem"))
        await stage.press("end", *["backspace"] * 3, *"3G")
        await click("F5 script")
        await sees(stage, "#SBATCH --mem=6000M")
        await click("F3 JSON")
        await sees(stage, '"mem": "3G"')
        await click("^s save")
        await at(stage, Difference)
        await click("Go on editing")
        await at(stage, EditPage)
        await click("^s save")
        await at(stage, Difference)
        await click("Save   ")
        await sees(stage, "Saved resource uzh")
        await click("esc leave")
        await at(stage, ResourcesPage)
    assert saved(home)["jobs_runner_config"]["default_slurm_config"]["mem"] == "3G"


async def test_in_a_classic_terminal_a_pane_takes_the_place_of_the_form(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage)
        assert "F3 JSON   F4 plan" not in shown(stage)
        await stage.press("f4")
        await sees(stage, "F3 JSON   F4 plan", "tasks", "because", "esc to the form")
        assert page.beside.pane is Pane.PLAN
        await stage.press("f5")
        await sees(stage, "#SBATCH --partition=main", "esc to the form")
        # A line too long for the pane is one line still: the rest of it is to the right.
        assert "\n #SBATCH\n" not in shown(stage)
        await stage.press(*["right"] * 80)
        await sees(stage, "slurm.out")
        await stage.press("escape")
        await sees(stage, "jobs_local_dir")
        assert page.form.has_focus_within
        await stage.press("f3", "f3")
        await sees(stage, "jobs_local_dir")
        assert page.form.has_focus_within


async def test_in_a_terminal_that_is_made_narrower_one_stays_where_one_was(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage, "host")
        area = page.query_one(TextArea)
        await stage.click(area, offset=(10, 10))
        await until(stage, lambda: area.has_focus)
        await stage.resize_terminal(80, 24)
        await until(stage, lambda: not page.form.display)
        assert area.has_focus
        await stage.resize_terminal(160, 45)
        await until(stage, lambda: page.form.display)
        await sees(stage, "jobs_poll_interval ")
        await stage.click("#edit Form Lines", offset=(40, 1))
        await until(stage, lambda: page.form.path == ("name",) and page.form.has_focus_within)
        await stage.resize_terminal(80, 24)
        await until(stage, lambda: not page.beside.display)
        await stage.press("end", "2")
        await until(stage, lambda: page.draft.text(("name",)) == "uzh2")


async def test_an_edit_made_elsewhere_is_told_and_neither_is_lost(home: Home) -> None:
    async with on_stage(home, size=(120, 40)) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        theirs = saved(home) | {"jobs_poll_interval": 30}
        file_of(home).write_text(json.dumps(theirs))
        await sees(stage, "the file was changed elsewhere")
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await sees(stage, '"jobs_poll_interval": 30', '+  "host": "mine.example"')
        # Going on changes nothing.
        await stage.press("escape")
        await at(stage, EditPage)
        assert saved(home) == theirs
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await stage.press("m")
        await sees(stage, "Saved resource uzh")
        assert saved(home)["host"] == "mine.example" and "jobs_poll_interval" not in saved(home)
        assert json.loads(file_of(home).with_name("resource.json~").read_text()) == theirs


async def test_theirs_can_be_taken_and_mine_comes_back_with_undo(home: Home) -> None:
    async with on_stage(home, size=(120, 40)) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        theirs = saved(home) | {"host": "theirs.example"}
        file_of(home).write_text(json.dumps(theirs))
        await stage.press("f7")
        await at(stage, Difference)
        await stage.press("t")
        await until(stage, lambda: page.draft.text(("host",)) == "theirs.example")
        await at(stage, EditPage)
        assert not page.unsaved
        await stage.press("ctrl+z")
        await until(stage, lambda: page.draft.text(("host",)) == "mine.example")
        await saves(stage)
        await until(stage, lambda: saved(home)["host"] == "mine.example")


async def test_with_a_file_that_was_emptied_elsewhere_nothing_is_joined(home: Home) -> None:
    async with on_stage(home, size=(120, 40)) as stage:
        page = await opened(stage)
        before = saved(home)
        await put(stage, page, ("host",), "mine.example")
        file_of(home).write_bytes(b"")
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await sees(stage, "Save mine", "Take theirs")
        assert "Join both" not in shown(stage)
        await stage.press("y")
        await sees(stage, "Saved resource uzh")
    assert saved(home) == before | {"host": "mine.example"}


async def test_two_edits_are_joined_where_they_are_of_different_fields(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        await put(stage, page, ("jobs_local_dir",), "/mine")
        theirs = saved(home) | {"jobs_poll_interval": 30, "jobs_local_dir": "/theirs"}
        file_of(home).write_text(json.dumps(theirs))
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await sees(stage, "Both have changed", "jobs_local_dir: joined, yours stays.", "Join both")
        await stage.press("y")
        await at(stage, EditPage)
        # Nothing is written yet.
        assert saved(home) == theirs
        await until(stage, lambda: page.draft.text(("jobs_poll_interval",)) == "30")
        await saves(stage)
        await until(stage, lambda: saved(home)["host"] == "mine.example")
    assert saved(home) == theirs | {"host": "mine.example", "jobs_local_dir": "/mine"}


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_all_that_can_be_done_about_a_difference_is_in_sight(home: Home, size: tuple[int, int]) -> None:
    lines = [f"export A{number}=1" for number in range(60)]
    async with on_stage(home, size=size) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        changed = saved(home)
        changed["jobs_runner_config"]["default_slurm_config"]["extra_lines"] = lines
        file_of(home).write_text(json.dumps(changed))
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await sees(stage, "b join both   m save mine   t take theirs   esc back", "Go on editing")
        await stage.press(*["pagedown"] * 12)
        await sees(stage, '+  "host": "mine.example"')


async def test_what_was_typed_outlasts_the_dashboard(home: Home) -> None:
    before = file_of(home).read_bytes()
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        kept = home.state / "drafts" / "uzh" / "resource.json"
        await until(stage, lambda: kept.exists() and "mine.example" in kept.read_text())
        assert kept.stat().st_mode & 0o777 == 0o600
        # As when the terminal is closed: nobody is asked anything.
        stage.app.exit()
    assert file_of(home).read_bytes() == before
    async with on_stage(home) as stage:
        page = await opened(stage)
        await until(stage, lambda: page.draft.text(("host",)) == "mine.example")
        await sees(stage, "What was typed until", "changed, not saved")
        await stage.press("ctrl+z")
        await until(stage, lambda: page.draft.text(("host",)) == "login.uzh.example")
        await until(stage, lambda: not kept.exists())
        await stage.press("ctrl+y")
        await until(stage, lambda: page.draft.text(("host",)) == "mine.example" and kept.exists())
        await stage.press("escape")
        await at(stage, Confirm)
        await stage.press("y")
        await until(stage, lambda: not isinstance(stage.app.screen, EditPage))
        await until(stage, lambda: not kept.exists())
        page = await opened(stage)
        assert page.draft.text(("host",)) == "login.uzh.example"


async def test_a_new_one_that_was_begun_outlasts_the_dashboard_too(home: Home) -> None:
    subject = Subject("begun", None, {"type": "local", "name": "begun"})
    kept = home.state / "drafts" / "begun" / "resource.json"
    async with on_stage(home) as stage:
        stage.app.push_screen(EditPage(subject, DraftFile(home, subject)))
        await at(stage, EditPage)
        page = stage.app.screen
        assert isinstance(page, EditPage)
        await until(stage, lambda: page.is_mounted)
        await until(stage, lambda: page.form.has_focus_within)
        await put(stage, page, ("jobs_local_dir",), "/jobs")
        await until(stage, lambda: kept.exists() and "/jobs" in kept.read_text())
        stage.app.exit()
    assert kept_draft(home, subject) is not None and not (home.resources / "begun").exists()


async def test_what_was_saved_or_taken_back_is_not_brought_up_again(home: Home) -> None:
    kept = home.state / "drafts" / "uzh" / "resource.json"
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        await until(stage, kept.exists)
        # Before anybody has had time to look whether there is still something to keep.
        await stage.press("ctrl+z", "escape")
        await until(stage, lambda: not isinstance(stage.app.screen, EditPage))
        await until(stage, lambda: not kept.exists())
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        await until(stage, kept.exists)
        await saves(stage)
        await until(stage, lambda: not page.unsaved)
        await stage.press("escape")
        await until(stage, lambda: not isinstance(stage.app.screen, EditPage))
        await until(stage, lambda: not kept.exists())


async def test_broken_json_outlasts_the_dashboard_too(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await stage.press("f3")
        area = page.query_one(TextArea)
        await until(stage, lambda: stage.app.focused is area)
        area.text = area.text.replace("login.uzh", "half.uzh").rstrip()[:-1]
        await sees(stage, "the JSON text is broken: F3 goes there", "Not valid JSON: line ")
        kept = home.state / "drafts" / "uzh" / "resource.json"
        await until(stage, lambda: kept.exists() and "half.uzh" in kept.read_text())
        stage.app.exit()
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await until(stage, lambda: "half.uzh" in page.query_one(TextArea).text)
        assert page.beside.json.broken


async def test_a_configuration_that_makes_no_plan_says_so(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, (*DEFAULT, "cpus_per_task"), "64")
        await sees(stage, "no plan for the sample: F4 tells why")
        await stage.press("f4")
        await sees(stage, "No plan.", "max_cpus_per_job")


async def test_a_file_that_was_removed_elsewhere_can_be_made_anew(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        file_of(home).unlink()
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await sees(stage, "was removed elsewhere")
        await stage.press("y")
        await sees(stage, "Saved resource uzh")
    assert saved(home)["host"] == "mine.example"


async def test_a_file_that_cannot_be_read_is_not_called_removed(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        file_of(home).rename(file_of(home).with_name("aside"))
        file_of(home).mkdir()
        for key in ("ctrl+s", "f7"):
            await stage.press(key)
            await sees(stage, "Cannot read")
            await at(stage, EditPage)
        file_of(home).rmdir()
        file_of(home).with_name("aside").rename(file_of(home))
        await saves(stage)
        await sees(stage, "Saved resource uzh")
    assert saved(home)["host"] == "mine.example"


async def test_lines_that_a_field_has_no_room_for_are_not_dropped_silently(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage)
        lines = (*DEFAULT, "extra_lines")
        page.form.go_to(lines)
        await until(stage, lambda: page.form.path == lines and page.form.has_focus_within)
        await stage.press("enter")
        await until(stage, lambda: page.form.path == (*lines, 0))
        stage.app.post_message(events.Paste("#SBATCH -H\numask 7\n"))
        await until(stage, lambda: page.draft.raw(lines) == ["#SBATCH -H", "umask 7"])
        assert "Only the first" not in shown(stage)
        page.form.go_to(("host",))
        await until(stage, lambda: page.form.path == ("host",) and page.form.has_focus_within)
        stage.app.post_message(events.Paste("2\nlogin.other.example\n"))
        await sees(stage, "Only the first line of what was pasted", "login.uzh.example2")


async def test_leaving_asks_where_something_would_be_lost(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        for key in ("escape", "ctrl+q", "ctrl+p"):
            await stage.press(key)
            if key == "ctrl+p":
                await stage.press(*"quit")
                await sees(stage, "everything that runs goes on")
                await stage.press("down", "enter")
            await at(stage, Confirm)
            await sees(stage, "Leave resource uzh without saving?")
            await stage.press("n")
            await at(stage, EditPage)
        assert page.draft.text(("host",)) == "mine.example"
        await stage.press("ctrl+z")
        await until(stage, lambda: not page.unsaved)
        await stage.press("escape")
        await until(stage, lambda: not isinstance(stage.app.screen, EditPage))


async def test_a_file_that_is_no_json_is_mended_in_its_text(home: Home) -> None:
    text = file_of(home).read_text()
    file_of(home).write_text(text.replace('"host": ', '"host" '))
    async with on_stage(home, size=(120, 40)) as stage:
        page = await opened(stage)
        area = page.query_one(TextArea)
        await until(stage, lambda: '"host" "login' in area.text and stage.app.focused is area)
        await sees(stage, "Not valid JSON")
        area.text = text.replace("login.uzh", "new.uzh")
        await until(stage, lambda: page.draft.text(("host",)) == "new.uzh.example")
        await saves(stage)
        await sees(stage, "Saved resource uzh")
    assert saved(home)["host"] == "new.uzh.example"


async def test_a_key_that_is_there_twice_is_not_dropped_silently(home: Home) -> None:
    text = file_of(home).read_text()
    file_of(home).write_text(text.replace('"host": ', '"host": "first.example",\n  "host": '))
    async with on_stage(home, size=(120, 40)) as stage:
        page = await opened(stage)
        area = page.query_one(TextArea)
        await until(stage, lambda: "first.example" in area.text)
        await sees(stage, 'the key "host" is there twice')
        await stage.press("ctrl+s")
        await sees(stage, "Nothing was saved")
        area.text = text.replace("login.uzh", "first")
        await until(stage, lambda: page.draft.text(("host",)) == "first.example")
        await saves(stage)
        await sees(stage, "Saved resource uzh")
    assert saved(home)["host"] == "first.example"


async def test_a_profile_is_edited_the_same_way(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage, "jobs_remote_dir", profile="me")
        await sees(stage, "profile me of uzh")
        assert page.form.path == ("jobs_remote_dir",)
        await put(stage, page, ("jobs_remote_dir",), "scratch")
        await sees(stage, "must be an absolute path")
        await put(stage, page, ("jobs_remote_dir",), "/scratch/me")
        await stage.press("f5")
        await sees(stage, "--output=/scratch/me/")
        await saves(stage)
        await sees(stage, "Saved profile me of uzh")
    path = home.resources / "uzh" / "profiles" / "me.json"
    assert json.loads(path.read_text())["jobs_remote_dir"] == "/scratch/me"


async def test_hostile_values_are_shown_harmless(home: Home) -> None:
    document = saved(home) | {"name": "[red]\x1b[2J\nx", "[/]": {"a": "\x1b]0;x\x07"}}
    file_of(home).write_text(json.dumps(document))
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await sees(stage, "[red]")
        assert "\x1b" not in shown(stage)
        await put(stage, page, ("host",), "a.example")
        await stage.press("ctrl+s")
        await at(stage, Difference)
        assert "\x1b" not in shown(stage)
        await stage.press("y")
        await sees(stage, "Saved")
    assert saved(home) == document | {"host": "a.example"}


async def test_a_read_only_dashboard_saves_nothing(home: Home) -> None:
    before = file_of(home).read_bytes()
    async with on_stage(home, read_only=True) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        await stage.press("ctrl+s")
        await sees(stage, "This dashboard is read-only")
        await at(stage, EditPage)
    assert file_of(home).read_bytes() == before


async def test_from_the_table_and_back(home: Home) -> None:
    async with on_stage(home) as stage:
        await stage.press("R")
        await at(stage, ResourcesPage)
        await sees(stage, "uzh")
        await stage.press("end", "up", "enter")
        await at(stage, EditPage)
        await sees(stage, "resource uzh")
        await stage.press("escape")
        await at(stage, ResourcesPage)
