"""A form's fields: what is typed, what is said beside it, and nothing that jumps."""

import pytest
from textual.geometry import Offset

from tests.tui.form_stage import BATCHING, DEFAULT, DOCUMENT, GPU, PYTHON, FormStage, document, form_stage
from tui.forms.draft import Draft
from tui.forms.spec import PROFILE_SPEC, RESOURCE_SPEC, Path
from tui.keys import keys_of
from tui.text import pictured, plain
from tui.widgets.form.layouts import columns
from tui.widgets.paragraph_view import ParagraphView
from tui.widgets.typed import Typed

CPUS: Path = (*DEFAULT, "cpus_per_task")
MEM: Path = (*DEFAULT, "mem")
GRES: Path = (*DEFAULT, "gres")


def wrong(stage: FormStage) -> list[Path]:
    """The fields of the section that is shown which have an error beside them."""
    return [row.path for row in stage.rows if "✗" in stage.line(row.path)]


async def test_an_error_stands_beside_its_field_and_only_there() -> None:
    async with form_stage() as stage:
        await stage.go_to(CPUS)
        assert stage.draft.errors == {}
        before = [row.region for row in stage.rows]
        await stage.type("x")
        assert wrong(stage) == [CPUS]
        assert "✗ must be" in stage.line(CPUS) and "default • ✗1" in stage.text
        assert stage.line(CPUS).startswith(" • cpus_per_task")
        assert [row.region for row in stage.rows] == before
        assert all(row.region.height == 1 for row in stage.rows)
        await stage.press("backspace")
        assert wrong(stage) == [] and "✗" not in stage.text and "•" not in stage.text
        assert [row.region for row in stage.rows] == before
        assert stage.app.changes == 2


async def test_values_say_what_they_mean_and_empty_fields_what_holds() -> None:
    async with form_stage() as stage:
        await stage.go_to(MEM)
        assert "3G" in stage.line(MEM) and "= 3,000 MB" in stage.line(MEM)
        await stage.press("backspace", "backspace")
        assert not stage.draft.given(MEM)
        assert "not given" in stage.line(MEM)
        await stage.type("2T")
        assert "= 2,000,000 MB" in stage.line(MEM)
        assert "default: #!/bin/sh" in stage.line((*DEFAULT, "shebang_line"))
        await stage.go_to(("jobs_poll_interval",))
        assert "default: 5" in stage.line(("jobs_poll_interval",))


async def test_a_text_that_may_be_empty_can_be_said_to_be() -> None:
    shebang = (*DEFAULT, "shebang_line")
    async with form_stage() as stage:
        await stage.go_to(shebang)
        assert "ctrl+n says that it is empty." in stage.text
        await stage.press("ctrl+n")
        assert stage.draft.raw(shebang) == "" and '= ""' in stage.line(shebang)
        await stage.press("ctrl+n")
        assert not stage.draft.given(shebang) and "default: #!/bin/sh" in stage.line(shebang)


async def test_what_is_missing_is_no_error_before_one_was_there() -> None:
    async with form_stage({"type": "slurm_ssh"}) as stage:
        assert "✗" not in stage.text and "general*" in stage.text
        assert stage.line(("name",)).endswith("required")
        assert "name*" in stage.line(("name",))
        stage.form.touch_all()
        # Where there is little room, the line makes some.
        await stage.until(lambda: "✗ is missing" in stage.line(("name",)))
        assert "general ✗" in stage.text
        for path in stage.draft.errors:
            assert stage.form.sheet is not None and stage.form.sheet.error(path)


async def test_what_was_emptied_is_told_at_once() -> None:
    async with form_stage() as stage:
        await stage.go_to(("name",))
        await stage.press(*["backspace"] * 3)
        assert "✗" in stage.line(("name",))
        assert wrong(stage) == [("name",)]


async def test_yes_no_or_neither() -> None:
    path: Path = ("prevent_new_submissions",)
    async with form_stage() as stage:
        await stage.go_to(path)
        assert "● default: no  ○ yes  ○ no" in stage.line(path)
        await stage.press("space")
        assert stage.draft.raw(path) is True and "● yes" in stage.line(path)
        await stage.press("right")
        assert stage.draft.raw(path) is False and "● no" in stage.line(path)
        await stage.press("right")
        assert not stage.draft.given(path)
        await stage.press("left")
        assert stage.draft.raw(path) is False


async def test_a_value_that_is_none_of_the_options_is_shown() -> None:
    path: Path = ("prevent_new_submissions",)
    async with form_stage(document(prevent_new_submissions="per[/]haps")) as stage:
        assert "per[/]haps" in stage.line(path) and "✗" in stage.line(path)
        await stage.go_to(path)
        await stage.press("right", "right")
        assert stage.draft.raw(path) is True and "✗" not in stage.line(path)


async def test_another_kind_of_resource_keeps_the_focus() -> None:
    async with form_stage() as stage:
        await stage.go_to(("type",))
        assert "slurm_ssh" in stage.line(("type",))
        await stage.press("right")
        assert stage.draft.raw(("type",)) == "local"
        assert stage.focused == ("type",)
        assert ("host",) not in [row.path for row in stage.rows]
        assert " runner " in stage.text and "batching" not in stage.text
        await stage.press("left")
        assert stage.draft.raw(("type",)) == "slurm_ssh" and stage.focused == ("type",)
        assert "login.example.org" in stage.line(("host",))


async def test_none_is_a_state_of_its_own() -> None:
    async with form_stage() as stage:
        await stage.go_to(GRES)
        assert "none" in stage.line(GRES) and "= null" in stage.line(GRES)
        assert stage.input.has_class("-none")
        await stage.press("ctrl+n")
        assert not stage.draft.given(GRES)
        assert "not given" in stage.line(GRES) and "null" not in stage.line(GRES)
        await stage.press("ctrl+n")
        assert stage.draft.is_none(GRES) and stage.draft.given(GRES)
        await stage.type("gpu:1")
        assert stage.draft.raw(GRES) == "gpu:1" and not stage.input.has_class("-none")
        await stage.press("ctrl+n")
        assert stage.draft.is_none(GRES) and stage.input.value == ""
        assert "ctrl+n" in stage.text
        await stage.go_to(("name",))
        await stage.press("ctrl+n")
        assert stage.draft.raw(("name",)) == "hpc"


async def test_an_error_is_whole_before_anything_is_told_of_keys() -> None:
    async with form_stage() as stage:
        await stage.go_to(MEM)
        await stage.type("x")
        error = stage.draft.errors[MEM]
        # It takes two lines of the three that are here.
        assert len(error) > 70 and "ctrl+n" not in stage.text
        assert " ".join(error.split()) in " ".join(stage.text.split())
        stage.app.query_one(ParagraphView).styles.height = 7
        await stage.pilot.pause()
        assert "ctrl+n says that there is none." in stage.text


async def test_keys_that_one_field_needs_leave_the_last_line_to_the_others() -> None:
    async with form_stage() as stage:
        await stage.go_to(GRES)
        hints = stage.text.splitlines()[-1]
        assert "F6 section" in hints and "^n" not in hints and "^o" not in hints
        told = {key.binding.key: key.binding.tooltip for key in keys_of(stage.app.screen)}
        assert told["ctrl+n"] and told["ctrl+o"]


async def test_undo_redo_and_back_to_saved() -> None:
    async with form_stage() as stage:
        await stage.go_to(CPUS)
        await stage.type("23")
        await stage.go_to(("name",))
        await stage.type("x")
        await stage.press("ctrl+z")
        assert stage.draft.raw(("name",)) == "hpc" and stage.input.value == "hpc"
        await stage.press("ctrl+z")
        # What was taken back is shown, wherever it is.
        assert stage.focused == CPUS and stage.input.value == "1"
        assert not stage.draft.changed()
        await stage.press("ctrl+z")
        assert stage.focused == CPUS
        await stage.press("ctrl+y")
        assert stage.input.value == "123" and stage.draft.raw(CPUS) == 123
        await stage.press("ctrl+o")
        assert stage.input.value == "1" and not stage.draft.changed()
        await stage.press("ctrl+z")
        assert stage.input.value == "123"


async def test_typing_in_two_fields_is_two_steps() -> None:
    async with form_stage() as stage:
        await stage.go_to(("name",))
        await stage.type("ab")
        await stage.press("down", "up")
        await stage.type("cd")
        await stage.press("ctrl+z")
        assert stage.draft.raw(("name",)) == "hpcab"
        await stage.press("ctrl+z")
        assert stage.draft.raw(("name",)) == "hpc"


async def test_text_from_a_file_is_harmless_and_kept() -> None:
    hostile = "a[/]\x1b[31m\nb\u202ec [bold]"
    async with form_stage(document(name=hostile, **{hostile: 1})) as stage:
        await stage.go_to(("name",))
        assert "a[/]␛[31m␊b\ufffdc [bold]" in stage.line(("name",))
        assert "\x1b" not in stage.text and "\u202e" not in stage.text
        assert plain(hostile) in stage.text.splitlines()[1]
        assert stage.app.screen.find_widget(stage.row(("name",))).region.height == 1
        # The cursor stands where it seems to, and what is typed goes there.
        await stage.press("home", *["right"] * 5)
        assert stage.input.cursor_screen_offset.x == stage.input.content_region.x + 5
        await stage.type("!")
        assert stage.draft.raw(("name",)) == "a[/]\x1b![31m\nb\u202ec [bold]"


async def test_a_click_goes_to_the_character_that_is_seen() -> None:
    async with form_stage(document(name="a\x1b\t日b")) as stage:
        line = stage.row(("name",)).query_one(Typed)
        for cell, index in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (9, 5)]:
            await stage.click_at(line.content_region.offset + Offset(cell, 0))
            assert line.cursor_position == index, cell


async def test_a_click_behind_an_emoji_goes_to_the_character_that_is_seen() -> None:
    # A heart that is wide because of the sign behind it, a hand with its colour, a flag of two letters.
    async with form_stage(document(name="a❤\ufe0fb👍🏽c🇨🇭d")) as stage:
        line = stage.row(("name",)).query_one(Typed)
        for cell, index in [(0, 0), (3, 3), (4, 4), (6, 6), (9, 9)]:
            await stage.click_at(line.content_region.offset + Offset(cell, 0))
            assert line.cursor_position == index, cell
            assert line.cursor_screen_offset.x == line.content_region.x + cell


async def test_a_long_text_shows_its_beginning_and_where_one_types_its_cursor() -> None:
    text = "0123456789" * 9 + "END"
    async with form_stage(document(name=text)) as stage:
        line = stage.row(("name",)).query_one(Typed)
        seen = line.content_region.width
        assert stage.line(("name",)).rstrip().endswith(text[: seen - 1] + "…")
        await stage.go_to(("name",))
        await stage.until(lambda: "END" in stage.line(("name",)))
        assert stage.line(("name",)).endswith(text[2 - seen :])
        await stage.go_to(("jobs_local_dir",))
        await stage.until(lambda: f" {text[: seen - 1]}…" in stage.line(("name",)))
        # The click goes to what was seen where it was made.
        await stage.click_at(line.content_region.offset + Offset(3, 0))
        assert stage.focused == ("name",) and line.cursor_position == 3
        await stage.until(lambda: f" {text[:seen]}" in stage.line(("name",)))


async def test_a_long_text_scrolls_in_its_line() -> None:
    async with form_stage() as stage:
        await stage.go_to(("name",))
        await stage.type("0123456789" * 5 + "END")
        assert "END" in stage.line(("name",)) and "hpc" not in stage.line(("name",))
        await stage.press("home")
        assert "hpc0123" in stage.line(("name",)) and "END" not in stage.line(("name",))
        assert stage.row(("name",)).region.height == 1


async def test_a_path_has_the_room_and_what_is_said_of_it_is_below() -> None:
    long = "/srv/shared/cluster/tasks/of/all/groups"
    value = document(tasks_local_dir=long)
    del value["host"]
    async with form_stage(value) as stage:
        row = stage.row(("tasks_local_dir",))
        box = row.editors[0].region
        assert long in stage.line(row.path)
        assert stage.line(("host",)).endswith("required")
        await stage.go_to(row.path)
        await stage.press("home")
        await stage.type("x")
        # A sign at the right edge, the words below; and nothing jumps.
        assert stage.line(row.path).endswith("✗") and row.editors[0].region == box
        assert "".join(stage.draft.errors[row.path].split()) in "".join(stage.text.split())
        await stage.pilot.resize_terminal(160, 45)
        await stage.pilot.pause()
        assert stage.draft.errors[row.path] in stage.line(row.path)
        assert stage.line(("host",)).count("required") == 1
        await stage.go_to(GRES)
        assert stage.line(GRES).count("= null") == 1


@pytest.mark.parametrize("size", [(80, 24), (70, 24), (60, 24)])
async def test_what_is_wrong_is_told_beside_a_text_that_nobody_is_in(size: tuple[int, int]) -> None:
    tasks, interval = ("tasks_local_dir",), ("jobs_poll_interval",)
    long = "srv/shared/cluster/tasks/of/all/groups"
    async with form_stage(document(tasks_local_dir=long, jobs_poll_interval="abc"), size=size) as stage:
        row = stage.row(tasks)
        await stage.until(lambda: "✗ must be an absol" in stage.line(tasks))
        assert stage.line(tasks).endswith("…") and " srv/shared" in stage.line(tasks)
        # What is seen of the value says that it goes on.
        assert "… ✗" in " ".join(stage.line(tasks).split())
        assert "✗ must be a whole numb" in stage.line(interval) or size[0] == 60
        places = [each.region for each in stage.rows]
        yielded = row.editors[0].region
        await stage.go_to(tasks)
        await stage.until(lambda: row.editors[0].region.width > yielded.width + 15)
        assert stage.line(tasks).endswith("✗")
        box = row.editors[0].region
        await stage.press("home", "x", "delete")
        assert row.editors[0].region == box
        await stage.go_to(interval)
        await stage.until(lambda: row.editors[0].region == yielded)
        # As soon as it is right again there is nothing to make room for, also where that is typed elsewhere.
        stage.draft.put(tasks, "/" + long)
        stage.form.refresh_from_draft()
        await stage.until(lambda: row.editors[0].region == box)
        assert "✗" not in stage.line(tasks)
        assert [each.region for each in stage.rows] == places


async def test_what_is_said_of_a_value_leads_to_it() -> None:
    async with form_stage(document(tasks_local_dir="tasks")) as stage:
        row = stage.row(("tasks_local_dir",))
        await stage.until(lambda: "✗ must be an absol" in stage.line(row.path))
        await stage.click(row, 60)
        assert stage.focused == row.path
        assert stage.input.cursor_position == len("tasks")


@pytest.mark.parametrize("size", [(80, 24), (160, 45), (70, 24)])
async def test_the_third_column_is_cut_and_the_whole_told_below(size: tuple[int, int]) -> None:
    async with form_stage(size=size) as stage:
        await stage.go_to(("tasks_local_dir",))
        await stage.press("home")
        await stage.type("x")
        error = stage.draft.errors["tasks_local_dir",]
        third = columns(stage.row(("tasks_local_dir",)).size.width, long=True).third
        assert (error in stage.line(("tasks_local_dir",))) == (third >= len(error) + 2)
        assert "".join(error.split()) in "".join(stage.text.split())
        assert max(map(len, stage.text.splitlines())) <= size[0]


async def test_a_group_tells_what_is_wrong_with_it_as_a_whole() -> None:
    async with form_stage() as stage:
        await stage.go_to((*PYTHON, "default_version"))
        await stage.press("backspace")
        assert list(stage.draft.errors) == [PYTHON] and wrong(stage) == []
        told = "tasks_python_config  ✗ must have its default_version among its versions"
        assert told in stage.text and "python • ✗1" in stage.text
        await stage.type("2")
        assert "✗" not in stage.text


async def test_two_numbers_that_contradict_each_other_are_told_at_the_one_to_be_changed() -> None:
    async with form_stage() as stage:
        await stage.go_to((*BATCHING, "target_num_jobs"))
        await stage.type("0")
        assert wrong(stage) == [(*BATCHING, "target_num_jobs")] == list(stage.draft.errors)


async def test_a_document_that_no_schema_allows_is_shown() -> None:
    strange: list[object] = [[], 5, None, "x", {"type": 4}]
    for value in (*strange, document(jobs_runner_config=[1]), document(name={"a": [1]})):
        async with form_stage(value) as stage:
            stage.form.touch_all()
            await stage.pilot.pause()
            for section in stage.form.sections:
                await stage.go_to(section.path)
            for path in stage.draft.errors:
                await stage.go_to(path)
            assert "✗" in stage.text, value


async def test_a_profile_has_one_section() -> None:
    async with form_stage({"resource_type": "slurm_sudo", "name": "me"}, spec=PROFILE_SPEC) as stage:
        assert [section.title for section in stage.form.sections] == ["general"]
        assert [row.path for row in stage.rows] == [("resource_type",), ("name",), ("username",)]


def test_pictured_keeps_the_length() -> None:
    text = "a\x1b\n日e\u0301\ud800b\u200d"
    assert len(pictured(text)) == len(text)
    assert pictured("plain") == "plain"


async def test_a_gpu_group_is_added_and_removed() -> None:
    async with form_stage() as stage:
        await stage.go_to(GPU)
        assert stage.focused == GPU and len(stage.rows) == 1
        assert "+ add (space)" in stage.line(GPU)
        await stage.press("space")
        assert stage.draft.raw(GPU) == {} and len(stage.rows) > 10
        assert stage.focused == GPU and "remove (space)" in stage.line(GPU)
        await stage.press("down")
        await stage.type("gpus")
        assert stage.draft.raw((*GPU, "partition")) == "gpus"
        await stage.press("up", "space")
        assert not stage.draft.given(GPU) and len(stage.rows) == 1
        await stage.press("ctrl+z")
        assert stage.draft.raw(GPU) == {"partition": "gpus"} and "gpus" in stage.text


def test_the_document_has_no_fault() -> None:
    assert Draft(RESOURCE_SPEC, DOCUMENT).errors == {}
