"""The check of what is typed in forms: they and the check are open once each, and nothing typed is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import OptionList

from runners.config.home import Home
from runners.config.places import document_path, resource_path
from runners.sample import Sample
from tests.tui import check_story, stores
from tests.tui.check_story import ALL, WAY
from tests.tui.stage import Stage, at, make_home, on_stage, sees, shown, until
from tests.tui.test_check_screen import checked, engine, table
from tui.messages import OpenCheck, OpenField
from tui.screens.check import CheckPage
from tui.screens.choose import Choose
from tui.screens.confirm import Confirm
from tui.screens.difference import Difference
from tui.screens.edit import EditPage
from tui.subject import Unsaved

DEFAULT = ("jobs_runner_config", "default_slurm_config")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home", stores.typical)
    check_story.add_alps(home)
    return home


def form(stage: Stage) -> EditPage:
    assert isinstance(stage.app.screen, EditPage)
    return stage.app.screen


def pages(stage: Stage) -> list[str]:
    """The forms and the check that are open, by what they are of, the one in front last."""
    names = []
    for screen in stage.app.screen_stack:
        if isinstance(screen, EditPage):
            names.append(screen.subject.profile or screen.subject.resource)
        elif isinstance(screen, CheckPage):
            names.append("check")
    return names


async def open_form(stage: Stage, profile: str | None, field: str) -> EditPage:
    """A field in its form, in which `.x` is typed behind what stands there."""
    stage.app.post_message(OpenField("alps", profile, field))
    await until(stage, lambda: pages(stage)[-1:] == [profile or "alps"])
    page = form(stage)
    # It is in front before its parts are there.
    await until(stage, lambda: page.is_mounted)
    await until(stage, lambda: page.form.path == (field,) and page.form.has_focus_within)
    await stage.press("end", ".", "x")
    return page


async def test_from_what_is_typed_to_the_check_and_back_to_the_field_at_fault(home: Home) -> None:
    async with on_stage(home) as stage:
        engine(stage).findings = ALL
        stage.app.post_message(OpenField("alps", None, "host"))
        await at(stage, EditPage)
        page = stage.app.screen
        assert isinstance(page, EditPage)
        await until(stage, lambda: page.is_mounted)
        await until(stage, lambda: page.form.path == ("host",) and page.form.has_focus_within)
        await stage.press("end", ".", "x")
        await stage.press("f8")
        await at(stage, CheckPage)
        await sees(stage, "resource as typed, not saved", "done at 14:13")
        given, _, _ = engine(stage).checked[0]
        assert isinstance(given, dict) and given["host"].endswith(".x")
        table(stage).move_to("partition")
        await stage.press("enter")
        await until(stage, lambda: stage.app.screen is page)
        await until(stage, lambda: page.form.path == (*DEFAULT, "partition") and page.form.has_focus_within)
        assert page.draft.text(("host",)).endswith(".x")


async def test_a_draft_is_checked_as_it_is_typed(home: Home) -> None:
    document = json.loads(resource_path(home.resources, "alps").read_text())
    typed = {**document, "host": "typed.invalid"}
    sample = Sample(tasks=2_000, cpus=2, mem_mb=4_000, needs_gpu=True)
    async with on_stage(home, size=(110, 30)) as stage:
        await checked(stage, *WAY, unsaved=Unsaved(typed), sample=sample)
        await sees(stage, "alps as me  resource as typed, not saved   2,000 tasks of 2 CPUs, 4 GB, GPU")
        assert engine(stage).checked[0][0] == typed
        assert engine(stage).checked[0][2] == sample
        await stage.press("escape")
        await checked(stage, *WAY, unsaved=Unsaved(document))
        await sees(stage, "alps as me  as saved")


async def test_each_form_and_the_check_is_open_once_and_nothing_typed_is_lost(home: Home) -> None:
    async with on_stage(home) as stage:
        engine(stage).findings = ALL
        mine = await open_form(stage, "me", "jobs_remote_dir")
        await stage.press("f8")
        await sees(stage, "profile as typed, not saved", "done at")
        table(stage).move_to("partition")
        await stage.press("enter")
        await until(stage, lambda: pages(stage) == ["me", "check", "alps"])
        cluster = form(stage)
        await until(stage, lambda: cluster.is_mounted)
        await until(stage, lambda: cluster.form.path == (*DEFAULT, "partition"))
        await stage.press("end", ".", "x", "f8")
        # The check that lay between has come to the front, and asks about what was typed last.
        await until(stage, lambda: pages(stage) == ["me", "alps", "check"])
        await until(stage, lambda: len(engine(stage).checked) == 2)
        await sees(stage, "alps as me  both as typed, not saved", "done at")
        given, acting, _ = engine(stage).checked[1]
        assert isinstance(given, dict)
        assert given["jobs_runner_config"]["default_slurm_config"]["partition"] == "main.x"
        assert isinstance(acting, dict) and acting["jobs_remote_dir"] == "/jobs.x"
        table(stage).move_to("space, jobs folder")
        await stage.press("enter")
        await until(stage, lambda: pages(stage) == ["alps", "me"])
        assert form(stage) is mine and mine.draft.text(("jobs_remote_dir",)).endswith(".x")
        await until(stage, lambda: mine.form.path == ("jobs_remote_dir",) and mine.form.has_focus_within)
        await stage.press(".", "y")
        assert mine.draft.text(("jobs_remote_dir",)).endswith(".x.y")
        # Whoever quits is asked about both.
        await stage.press("ctrl+q")
        await sees(stage, "Leave profile me of alps without saving?")
        await stage.press("y")
        await sees(stage, "Leave resource alps without saving?")
        await stage.press("escape")
        await until(stage, lambda: pages(stage) == ["alps", "me"])
        await stage.press("escape")
        await sees(stage, "Leave profile me of alps without saving?")
        await stage.press("y")
        await until(stage, lambda: stage.app.screen is cluster)
        assert cluster.draft.text((*DEFAULT, "partition")) == "main.x"


async def test_a_form_that_is_open_far_below_comes_to_the_front(home: Home) -> None:
    async with on_stage(home) as stage:
        first = await open_form(stage, None, "host")
        await open_form(stage, "me", "username")
        stage.app.post_message(OpenField("alps", None, "tasks_local_dir"))
        await until(stage, lambda: stage.app.screen is first)
        assert pages(stage) == ["me", "alps"]
        assert first.draft.text(("host",)).endswith(".x")
        await stage.press("f8")
        await sees(stage, "both as typed, not saved")
        assert pages(stage) == ["me", "alps", "check"]


async def test_what_is_not_saved_yet_is_not_called_saved(home: Home) -> None:
    document = json.loads(resource_path(home.resources, "alps").read_text())
    async with on_stage(home) as stage:
        stage.app.post_message(OpenCheck("etna", unsaved=Unsaved(document)))
        await sees(stage, "etna  as typed, not saved", "is not saved yet, so it has no profile")
        assert "as saved" not in shown(stage)
        await stage.press("escape")
        acting = {
            "resource_type": "slurm_ssh",
            "name": "new",
            "username": "new",
            "ssh_key_path": "/nonesuch/key",
            "jobs_remote_dir": "/jobs",
            "tasks_remote_dir": "/tasks",
        }
        engine(stage).findings = list(WAY)
        stage.app.post_message(OpenCheck("alps", "new", unsaved=Unsaved(profiles={"new": acting})))
        await sees(stage, "alps as new  profile as typed, not saved", "done at")


async def test_what_is_saved_is_not_called_typed(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await open_form(stage, None, "host")
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await stage.press("y")
        await until(stage, lambda: stage.app.screen is page and not page.unsaved)
        await stage.press("f8")
        await at(stage, CheckPage)
        await sees(stage, "alps as me  as saved")
        given, _, _ = engine(stage).checked[0]
        assert isinstance(given, dict) and given["host"].endswith(".x")


async def test_what_keeps_from_a_check_is_gone_to(home: Home) -> None:
    async with on_stage(home) as stage:
        page = await open_form(stage, None, "host")
        page.form.go_to((*DEFAULT, "mem"))
        await until(stage, lambda: page.form.path == (*DEFAULT, "mem") and page.form.has_focus_within)
        await stage.press("end", *"iB")
        page.form.go_to(("host",))
        await until(stage, lambda: page.form.path == ("host",) and page.form.has_focus_within)
        await stage.press("f8")
        await sees(stage, "Nothing was checked: 1 field has an error.")
        await until(stage, lambda: page.form.path == (*DEFAULT, "mem") and page.form.has_focus_within)
        assert pages(stage) == ["alps"]


async def test_a_key_without_effect_is_typed_and_not_saved_too(home: Home) -> None:
    document = json.loads(resource_path(home.resources, "alps").read_text())
    async with on_stage(home) as stage:
        stage.app.post_message(OpenCheck("alps", unsaved=Unsaved({**document, "memory": "4G"})))
        await sees(stage, "resource as typed, not saved")


async def test_a_profile_that_is_typed_is_one_of_several(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", stores.typical)
    check_story.add_alps(home, "you")

    def acting(stage: Stage, nth: int) -> str:
        found = engine(stage).checked[nth][1]
        assert isinstance(found, dict)
        return f"{found['username']} {found['jobs_remote_dir']}"

    async def choose(stage: Stage, at_index: int) -> None:
        await stage.press("p")
        await at(stage, Choose)
        stage.app.screen.query_one(OptionList).highlighted = at_index
        await stage.press("enter")

    async with on_stage(home) as stage:
        engine(stage).findings = list(WAY)
        await open_form(stage, "me", "jobs_remote_dir")
        await stage.press("f8")
        await sees(stage, "alps as me  profile as typed, not saved", "done at")
        await choose(stage, 1)
        await sees(stage, "alps as you  as saved", "done at")
        # What is typed is there as before.
        await choose(stage, 0)
        await sees(stage, "alps as me  profile as typed, not saved", "done at")
        await stage.press("r")
        await until(stage, lambda: len(engine(stage).checked) == 4)
        assert [acting(stage, nth) for nth in range(4)] == [
            "mira /jobs.x",
            "you /jobs",
            "mira /jobs.x",
            "mira /jobs.x",
        ]


async def test_what_is_typed_elsewhere_counts_only_without_errors(home: Home) -> None:
    async with on_stage(home) as stage:
        engine(stage).findings = list(WAY)
        mine = await open_form(stage, "me", "jobs_remote_dir")
        await stage.press("home", "x")
        assert mine.draft.errors
        cluster = await open_form(stage, None, "host")
        await stage.press("f8")
        await sees(stage, "alps as me  resource as typed, not saved", "done at")
        acting = engine(stage).checked[0][1]
        assert isinstance(acting, dict) and acting["jobs_remote_dir"] == "/jobs"
        await stage.press("escape")
        await until(stage, lambda: stage.app.screen is cluster)
        # Nor does a form count in which nothing was typed: its file may be another one by now.
        await stage.press("ctrl+z")
        await until(stage, lambda: not cluster.unsaved)
        path = resource_path(home.resources, "alps")
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "host": "newer.invalid"}))
        stage.app.post_message(OpenField("alps", "me", "jobs_remote_dir"))
        await until(stage, lambda: stage.app.screen is mine)
        await until(stage, lambda: mine.form.path == ("jobs_remote_dir",) and mine.form.has_focus_within)
        await stage.press("home", "delete")
        await until(stage, lambda: not mine.draft.errors)
        await stage.press("f8")
        await sees(stage, "alps as me  profile as typed, not saved", "done at")
        given = engine(stage).checked[1][0]
        assert isinstance(given, dict) and given["host"] == "newer.invalid"


async def test_plan_and_script_are_of_what_is_typed_in_the_other_form_too(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        cluster = await open_form(stage, None, "host")
        await stage.press("f5")
        await sees(stage, "#SBATCH --partition=main", "--output=/jobs/")
        mine = await open_form(stage, "me", "jobs_remote_dir")
        await stage.press("f5")
        await sees(stage, "--output=/jobs.x/")
        # The form of the resource has what is typed of the profile, once it is in front again.
        stage.app.post_message(OpenField("alps", None, "jobs_runner_config.default_slurm_config.partition"))
        await until(stage, lambda: stage.app.screen is cluster)
        await until(stage, lambda: cluster.form.path == (*DEFAULT, "partition"))
        await sees(stage, "--output=/jobs.x/")
        await stage.press("end", ".", "y")
        await sees(stage, "#SBATCH --partition=main.y")
        # And the other way round.
        stage.app.post_message(OpenField("alps", "me", "jobs_remote_dir"))
        await until(stage, lambda: stage.app.screen is mine)
        await sees(stage, "#SBATCH --partition=main.y", "--output=/jobs.x/")
        # Once that is given up, the file counts again.
        await until(stage, lambda: mine.form.has_focus_within)
        await stage.press("escape")
        await at(stage, Confirm)
        await stage.press("y")
        await until(stage, lambda: stage.app.screen is cluster)
        await sees(stage, "#SBATCH --partition=main.y", "--output=/jobs/")
        # So it does once it was written there.
        await open_form(stage, "me", "jobs_remote_dir")
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await stage.press("y")
        await sees(stage, "Saved profile me of alps")
        await stage.press("escape")
        await until(stage, lambda: stage.app.screen is cluster)
        await sees(stage, "#SBATCH --partition=main.y", "--output=/jobs.x/")


async def test_who_stays_in_the_end_has_all_forms_kept_as_before(home: Home) -> None:
    def kept(profile: str | None) -> str:
        path = document_path(home.state / "drafts", "alps", profile)
        return path.read_text() if path.exists() else ""

    async with on_stage(home) as stage:
        cluster = await open_form(stage, None, "host")
        mine = await open_form(stage, "me", "jobs_remote_dir")
        await until(stage, lambda: ".x" in kept("me") and ".x" in kept(None))
        await stage.press("ctrl+q")
        await sees(stage, "Leave profile me of alps without saving?")
        await stage.press("y")
        await sees(stage, "Leave resource alps without saving?")
        await stage.press("n")
        await until(stage, lambda: stage.app.screen is mine)
        await until(stage, lambda: mine.form.path == ("jobs_remote_dir",) and mine.form.has_focus_within)
        assert ".x" in kept("me")
        await stage.press("end", ".", "y")
        await until(stage, lambda: ".x.y" in kept("me"))
        # Once both are given up, both are.
        await stage.press("ctrl+q", "y")
        await sees(stage, "Leave resource alps without saving?")
        await stage.press("y")
        await until(stage, lambda: not stage.app.is_running)
        assert cluster.unsaved and not kept("me") and not kept(None)
