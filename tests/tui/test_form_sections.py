"""A form's sections: what is where, what is kept when another is shown, and how to get somewhere."""

import asyncio

import pytest
from textual import events
from textual.geometry import Offset
from textual.widgets import Input

from tests.tui.form_stage import BATCHING, DEFAULT, GPU, PIXI, PYTHON, FormStage, document, form_stage
from tui.forms.draft import Draft
from tui.forms.spec import RESOURCE_SPEC, Path
from tui.widgets.form.held_keys import HeldKeys
from tui.widgets.form.lines import Lines
from tui.widgets.form.section_bar import SectionBar
from tui.widgets.form.sections import owner, sections_of

PARTITION: Path = (*DEFAULT, "partition")


def bar(stage: FormStage) -> str:
    """The titles of the sections, with their marks."""
    return stage.text.splitlines()[0]


def test_sections_are_made_from_the_schema() -> None:
    draft = Draft(RESOURCE_SPEC, document())
    titles = [section.title for section in sections_of(draft)]
    assert titles == ["general", "default", "GPU", "batching", "exports", "python", "pixi"]
    draft.fill(PIXI)
    assert [section.title for section in sections_of(draft)][-1] == "pixi SLURM"
    draft.put(("type",), "local")
    titles = [section.title for section in sections_of(draft)]
    assert titles == ["general", "runner", "python", "pixi"]


def test_every_field_is_in_a_section() -> None:
    sections = sections_of(Draft(RESOURCE_SPEC, document()))
    assert owner(sections, ("name",)).path == ()
    assert owner(sections, (*DEFAULT, "extra_lines", 2)).path == DEFAULT
    assert owner(sections, (*PIXI, "SLURM_CONFIG", "mem")).path == PIXI
    assert owner(sections, ("jobs_runner_config",)).path == DEFAULT
    assert owner(sections, ("no such",)).path == ()


async def test_values_are_kept_when_another_section_is_shown() -> None:
    async with form_stage() as stage:
        await stage.go_to(PARTITION)
        await stage.type("2")
        await stage.press("f6")
        assert stage.focused == GPU and PARTITION not in [row.path for row in stage.rows]
        await stage.press("shift+f6")
        assert stage.focused == PARTITION and stage.input.value == "main2"
        await stage.press("ctrl+pageup")
        assert stage.focused == ("type",)
        await stage.press("ctrl+pageup")
        assert stage.focused == PIXI
        await stage.press("ctrl+pagedown", "ctrl+pagedown")
        assert stage.focused == PARTITION


async def test_no_key_is_lost_while_a_section_is_made() -> None:
    async with form_stage() as stage:
        await stage.go_to(GPU)
        stage.app.post_message(events.Key("f6", None))
        await stage.until(lambda: isinstance(stage.app.focused, HeldKeys))
        for key in "567":
            stage.app.post_message(events.Key(key, key))
        await stage.until(lambda: not isinstance(stage.app.focused, HeldKeys))
        await stage.type("8")
        assert stage.draft.raw((*BATCHING, "target_num_jobs")) == 105678
        assert not stage.app.query_one(HeldKeys).can_focus


@pytest.mark.parametrize("later", range(4))
async def test_two_changes_of_sections_at_once_mix_nothing(later: int) -> None:
    async with form_stage() as stage:
        for _ in range(3):
            # As a page does that leads to what is wrong; the form has not come to it yet, or is just at it.
            stage.form.go_to(PYTHON)
            for _ in range(later):
                await asyncio.sleep(0)
            # As the application does when a hint is clicked, in a task of its own.
            await stage.form.action_section(1)
            await stage.until(lambda: stage.focused == PIXI)
            assert [row.path for row in stage.rows] == [PIXI]
            await stage.pilot.pause()


async def test_only_one_section_is_mounted() -> None:
    async with form_stage() as stage:
        for section in stage.form.sections:
            await stage.go_to(section.path)
            assert all(owner(stage.form.sections, row.path) == section for row in stage.rows)
            assert len(stage.rows) <= 30


async def test_go_to_shows_and_focuses_any_field() -> None:
    async with form_stage(size=(80, 14)) as stage:
        for path in [(*DEFAULT, "use_mem_per_cpu"), ("host",), (*DEFAULT, "extra_lines", 2), PARTITION]:
            await stage.go_to(path)
            assert stage.focused == path == stage.app.at == stage.form.path
            assert stage.app.query_one(Lines).region.contains_region(stage.row(path).region)
        await stage.go_to((*BATCHING, "no such field"))
        assert stage.focused == (*BATCHING, "target_num_jobs")
        await stage.go_to((*DEFAULT, "extra_lines", 99))
        assert stage.focused == (*DEFAULT, "extra_lines")


async def test_tab_goes_on_after_the_last_field() -> None:
    async with form_stage() as stage:
        await stage.press("shift+tab")
        # Nothing else here takes the focus: it goes round, and never to what only holds keys.
        assert stage.focused == ("host",)
        await stage.press("tab")
        assert stage.focused == ("type",)


async def test_arrows_go_from_field_to_field_and_stay_in_the_section() -> None:
    async with form_stage() as stage:
        await stage.press("up")
        assert stage.focused == ("type",)
        seen = [stage.focused]
        for _ in range(len(stage.rows)):
            await stage.press("down")
            seen.append(stage.focused)
        assert seen[:-1] == [row.path for row in stage.rows] and seen[-1] == seen[-2]


async def test_tabs_by_mouse() -> None:
    async with form_stage(size=(160, 45)) as stage:
        bar = stage.app.query_one(SectionBar)
        line = stage.text.splitlines()[bar.region.y]
        await stage.click_at(Offset(line.index("batching") + 3, bar.region.y))
        assert stage.focused == (*BATCHING, "target_num_jobs")
        await stage.click_at(Offset(line.index("python"), bar.region.y))
        assert stage.focused == (*PYTHON, "default_version")
        await stage.click_at(Offset(150, bar.region.y))
        assert stage.focused == (*PYTHON, "default_version")


async def test_a_click_on_a_section_that_is_gone_by_then_leads_nowhere() -> None:
    async with form_stage() as stage:
        bar = stage.app.query_one(SectionBar)
        last = len(stage.form.sections) - 1
        await stage.press("right")
        assert stage.draft.raw(("type",)) == "local" and last >= len(stage.form.sections)
        # Made while the lines were exchanged, and come to only now.
        bar.post_message(SectionBar.Picked(last))
        await stage.press("down")
        await stage.type("2")
        assert stage.draft.raw(("name",)) == "hpc2"


async def test_choices_and_groups_by_mouse() -> None:
    path: Path = ("prevent_new_submissions",)
    async with form_stage(size=(160, 45)) as stage:
        await stage.click_at(Offset(stage.line(path).index("yes"), stage.row(path).region.y))
        assert stage.draft.raw(path) is True
        await stage.click_at(Offset(stage.line(("type",)).index("local"), stage.row(("type",)).region.y))
        assert stage.draft.raw(("type",)) == "local"
        await stage.press("ctrl+z")
        await stage.go_to(GPU)
        await stage.click_at(Offset(stage.line(GPU).index("+ add (space)"), stage.row(GPU).region.y))
        assert stage.draft.raw(GPU) == {}


async def test_a_bar_that_is_too_narrow_shows_what_is_around() -> None:
    async with form_stage(size=(44, 20)) as stage:
        titles = [section.title for section in stage.form.sections]
        for title in titles:
            bar = stage.text.splitlines()[0]
            assert title in bar and len(bar) <= 44
            await stage.press("f6")
        bar = stage.text.splitlines()[0]
        assert bar.endswith("…")
        await stage.click_at(Offset(bar.index("…"), 0))
        assert stage.text.splitlines()[0].startswith(" …")


async def test_a_draft_that_was_changed_elsewhere_is_caught_up_with() -> None:
    async with form_stage() as stage:
        await stage.go_to(PARTITION)
        await stage.press("home", "right")
        rows = stage.rows
        changed = document()
        changed["jobs_runner_config"]["default_slurm_config"] |= {"partition": "gpu", "extra_lines": ["x"]}
        stage.draft.replace(changed)
        stage.form.refresh_from_draft()
        await stage.pilot.pause()
        assert stage.focused == PARTITION and stage.input.value == "gpu"
        assert stage.input.cursor_position == 1
        # Lines that stay are not made anew.
        assert [row for row in rows if row.is_attached] == stage.rows and len(stage.rows) == len(rows) - 2
        assert stage.draft.document == changed
        await stage.press("ctrl+z")
        assert stage.input.value == "main"


async def test_another_draft_begins_at_the_first_section() -> None:
    async with form_stage() as stage:
        await stage.go_to(PARTITION)
        draft = Draft(RESOURCE_SPEC, document(name="other"))
        stage.form.show(draft)
        await stage.pilot.pause()
        assert stage.form.draft is draft
        assert stage.focused == ("type",) and "other" in stage.text
        await stage.go_to(("name",))
        await stage.type("2")
        assert draft.raw(("name",)) == "other2" and stage.draft.raw(("name",)) == "hpc"


async def test_the_focus_is_not_taken_away() -> None:
    async with form_stage() as stage:
        other = Input(id="other")
        await stage.app.mount(other)
        other.focus()
        await stage.pilot.pause()
        stage.form.show(Draft(RESOURCE_SPEC, document(name="other")))
        stage.form.refresh_from_draft()
        await stage.pilot.pause()
        assert stage.app.focused is other
        stage.form.focus_field()
        await stage.pilot.pause()
        assert stage.focused == ("type",)


async def test_unknown_keys_are_told() -> None:
    async with form_stage(document(note="kept", another=[1])) as stage:
        assert "note" in stage.text and "another" in stage.text
        await stage.go_to(("name",))
        await stage.type("2")
        assert stage.draft.document["note"] == "kept"


async def test_what_the_schema_does_not_know_is_removed_on_its_line() -> None:
    value = document(note="kept\x1b[2J", another=[1])
    value["tasks_python_config"]["old"] = None
    async with form_stage(value) as stage:
        await stage.go_to(("another",))
        assert "− remove (ctrl+l)   [1]" in stage.line(("another",)) and "no effect" in stage.line(
            ("another",)
        )
        assert "kept␛" in stage.line(("note",)) and "\x1b" not in stage.text
        assert "The schema does not know this key: it has no effect. ctrl+l removes it." in stage.text
        assert "^l remove" in stage.text
        await stage.press("ctrl+l")
        assert stage.draft.strangers() == [("note",)] and stage.focused != ("nowhere",)
        await stage.press("ctrl+z")
        assert stage.focused == ("another",) and not stage.draft.changed()
        await stage.go_to(("note",))
        await stage.press("ctrl+l")
        assert stage.focused == ("another",)
        await stage.press("ctrl+l")
        assert stage.draft.document == document(tasks_python_config=value["tasks_python_config"])
        # On the last line before them, for there are none any more.
        assert stage.rows[-1].has_focus_within and "Not in the schema" in stage.text
        # In the sections that they are in, by mouse too.
        await stage.go_to((*PYTHON, "old"))
        row = stage.row((*PYTHON, "old"))
        assert stage.focused == row.path
        await stage.click(row, stage.line(row.path).index("remove") - row.region.x)
        assert "old" not in stage.draft.document["tasks_python_config"]
        # What is not there any more makes its section another one than what is saved.
        assert "•" in bar(stage).partition("python")[2][:4]


async def test_a_group_of_groups_has_a_section_while_there_is_something_strange_in_it() -> None:
    value = document()
    runner = ("jobs_runner_config",)
    value[runner[0]]["note"] = "x"
    async with form_stage(value) as stage:
        assert "runner" in bar(stage) and stage.draft.errors
        await stage.go_to((*runner, "note"))
        assert [row.path for row in stage.rows] == [(*runner, "note")]
        assert "✗ is not a known key" in stage.line((*runner, "note"))
        await stage.press("ctrl+l")
        assert not stage.draft.errors and "runner" not in bar(stage)
        assert stage.focused != ("nowhere",)
        await stage.press("ctrl+z")
        assert stage.focused == (*runner, "note")


@pytest.mark.parametrize("group", [DEFAULT, GPU])
async def test_a_key_that_is_misspelt_is_told_on_its_line(group: Path) -> None:
    value = document()
    value["jobs_runner_config"][group[-1]] = {"consraint": "x"}
    async with form_stage(value, size=(120, 30)) as stage:
        await stage.go_to((*group, "consraint"))
        assert "✗ is not a known key; did you" in stage.line((*group, "consraint"))
        assert "consraint is not a known key; did you mean constraint?" in stage.text
        assert "ctrl+l removes it." in stage.text


async def test_what_must_be_absent_for_this_type_is_removed_on_its_line() -> None:
    local = {"type": "local", "name": "here", "host": "x", "jobs_slurm_python_worker": None}
    async with form_stage(local) as stage:
        await stage.go_to(("host",))
        assert "✗ must be null or" in stage.line(("host",))
        assert ("jobs_slurm_python_worker",) not in [row.path for row in stage.rows]
        await stage.press("ctrl+l")
        assert "host" not in stage.draft.document
        assert ("host",) not in [row.path for row in stage.rows]


async def test_all_of_it_by_keyboard() -> None:
    async with form_stage({"type": "local"}) as stage:
        await stage.press("down")
        await stage.type("here")
        stage.form.touch_all()
        await stage.pilot.pause()
        for _ in range(40):
            if not stage.draft.errors:
                break
            path = next(iter(stage.draft.errors))
            while path not in [row.path for row in stage.rows]:
                await stage.press("f6")
            while stage.focused != path:
                await stage.press("tab")
            if path == (*PYTHON, "versions"):
                await stage.press("enter")
                await stage.type("3.12")
                await stage.press("enter")
                await stage.type("/usr/bin/python3.12")
            elif path == PIXI:
                await stage.press("ctrl+n")
            elif stage.draft.spec(path).fields:
                await stage.press("space")
            elif isinstance(stage.app.focused, Input):
                await stage.type("3.12" if path[-1] == "default_version" else "/data/x")
            else:
                break
        assert stage.draft.model is not None, dict(stage.draft.errors)
