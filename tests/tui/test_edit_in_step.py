"""The Edit screen, where form, JSON text and file might fight: nothing that was typed is lost unsaid."""

from __future__ import annotations

import json
import threading
from functools import partial
from pathlib import Path

import pytest
from textual.widgets import TextArea

from runners.config.home import Home
from tests.clusters import add_cluster
from tests.tui.stage import Stage, at, make_home, on_stage, sees, shown, until
from tests.tui.test_edit_screen import file_of, opened, put, saved, saves
from tui import saving
from tui.screens.difference import Difference
from tui.screens.edit import EditPage
from tui.subject import Subject, save_subject
from tui.text import LONGEST

ODD = "a\u2028b\x85c\x9b31m \u202e \U000e0041 \x7f"
"""Line ends in the eyes of some, a sequence for terminals, marks that show nothing."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("tui.screens.edit.LOOK_S", 0.05)
    home = make_home(tmp_path / "home", None)
    add_cluster(home, "uzh", "slurm_ssh", host="login.uzh.example")
    return home


async def to_json_pane(stage: Stage, page: EditPage) -> TextArea:
    await stage.press("f3")
    await until(stage, lambda: page.beside.json.has_focus_within)
    return page.query_one(TextArea)


def changed_since(page: EditPage, revision: int) -> bool:
    return page.draft.revision > revision


async def test_who_goes_to_the_json_at_once_takes_along_what_they_typed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing follows by itself in this test.
    monkeypatch.setattr("tui.screens.edit.PAUSE_S", 600.0)
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        area = await to_json_pane(stage, page)
        await until(stage, lambda: '"host": "mine.example"' in area.text)
        area.text = area.text.replace("/jobs", "/elsewhere")
        await until(stage, lambda: "/elsewhere" in page.draft.text(("jobs_local_dir",)))
        assert page.draft.text(("host",)) == "mine.example"


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_the_json_is_opened_at_the_field_or_at_the_fault(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, size=size) as stage:
        page = await opened(stage, "jobs_runner_config.default_slurm_config.mem")
        await stage.press("f3")
        area = page.beside.json.query_one(TextArea)
        await until(stage, lambda: area.has_focus)
        row, column = area.cursor_location
        assert area.document.get_line(row)[column:].startswith('"mem"')
        await stage.press("backspace", "{")
        await until(stage, lambda: page.beside.json.broken)
        await stage.press("escape", "f3")
        await until(stage, lambda: area.has_focus)
        assert f"line {area.cursor_location[0] + 1}, column {area.cursor_location[1] + 1}" in shown(stage)


async def test_what_was_typed_in_the_json_is_taken_back_at_once_but_not_what_was_typed_before(
    home: Home,
) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        area = await to_json_pane(stage, page)
        await until(stage, lambda: '"host": "mine.example"' in area.text)
        lines = area.text.splitlines()
        at_line = next(n for n, line in enumerate(lines) if "mine.example" in line)
        area.move_cursor((at_line, lines[at_line].index("mine")))
        for letter in "abc":
            revision = page.draft.revision
            await stage.press(letter)
            await until(stage, partial(changed_since, page, revision))
        assert page.draft.text(("host",)) == "abcmine.example"
        await stage.press("escape")
        await until(stage, lambda: page.form.has_focus_within)
        await stage.press("ctrl+z")
        await until(stage, lambda: page.draft.text(("host",)) == "mine.example")
        await stage.press("ctrl+z")
        await until(stage, lambda: page.draft.text(("host",)) != "mine.example")


async def test_what_was_typed_in_the_json_at_two_times_is_two_steps(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage, "host")
        for before, after in (("login.uzh", "first.uzh"), ("first.uzh", "second.uzh")):
            area = await to_json_pane(stage, page)
            revision = page.draft.revision
            area.text = area.text.replace(before, after)
            await until(stage, partial(changed_since, page, revision))
            assert page.draft.text(("host",)) == f"{after}.example"
            # Back in the field in which one was before.
            await stage.press("escape")
            await until(stage, lambda: page.form.has_focus_within)
        for host in ("first.uzh.example", "login.uzh.example"):
            revision = page.draft.revision
            await stage.press("ctrl+z")
            await until(stage, partial(changed_since, page, revision))
            assert page.draft.text(("host",)) == host


async def test_what_was_typed_in_the_form_beside_a_broken_text_can_be_brought_back(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        area = await to_json_pane(stage, page)
        good = area.text
        area.text = good.rstrip()[:-1]
        await sees(stage, "Not valid JSON")
        await stage.press("escape")
        await put(stage, page, ("host",), "mine.example")
        assert area.text == good.rstrip()[:-1]
        # Neither a look at the difference, from where theirs could be taken, nor saving loses the text.
        for key, told in (("f7", "No difference is shown"), ("ctrl+s", "Nothing was saved")):
            await stage.press(key)
            await sees(stage, told)
            await at(stage, EditPage)
        await until(stage, lambda: page.beside.json.has_focus_within)
        area.text = good
        await sees(stage, "The JSON counts as it stands")
        assert page.draft.text(("host",)) == "login.uzh.example"
        await stage.press("escape")
        await until(stage, lambda: page.form.has_focus_within)
        await stage.press("ctrl+z")
        await until(stage, lambda: page.draft.text(("host",)) == "mine.example")


async def test_what_acts_instead_of_showing_is_escaped_and_kept(home: Home) -> None:
    document = saved(home) | {"name": ODD}
    file_of(home).write_text(json.dumps(document, ensure_ascii=False))
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        area = await to_json_pane(stage, page)
        assert not page.beside.json.broken
        await sees(stage, r"a\u2028b\u0085c\u009b31m \u202e \udb40\udc41")
        area.text = area.text.replace("login.uzh", "new.uzh")
        await until(stage, lambda: page.draft.text(("host",)) == "new.uzh.example")
        await saves(stage)
        await sees(stage, "Saved resource uzh")
        # Also what was pasted.
        area.text += "\x9b31m\x1b[2J"
        await sees(stage, "Not valid JSON")
        assert not {"\x9b", "\x1b"} & set(shown(stage))
    assert saved(home) == document | {"host": "new.uzh.example"}


async def test_where_a_text_is_no_json_is_told_before_why(home: Home) -> None:
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        area = await to_json_pane(stage, page)
        area.text = area.text.replace('"uzh",', '"uzh')
        await sees(stage, "Not valid JSON: line 3, column 15: Invalid control character")
        assert "character at" not in " ".join(shown(stage).split())


async def test_a_value_of_any_length_costs_no_more_than_what_is_drawn_of_it(home: Home) -> None:
    document = saved(home) | {"note": "é\x1b" * 500_000, "last": "here"}
    file_of(home).write_text(json.dumps(document))
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        area = await to_json_pane(stage, page)
        # Textual goes through the whole text for the partner of a bracket, and fills up each line it draws.
        assert area.find_matching_bracket("{", (0, 0)) is None
        assert area.virtual_size.width < 2 * LONGEST
        await stage.press("ctrl+end", "up", "up", "end")
        assert max(len(area.get_line(n)) for n in range(area.document.line_count)) <= LONGEST
        await sees(stage, '"last": "here"')
        area.text = area.text.replace("here", "there")
        await until(stage, lambda: page.draft.document.get("last") == "there")
        assert page.draft.document == document | {"last": "there"}
        area.text = '{"a": [1]}'
        assert area.find_matching_bracket("[", (0, 6)) == (0, 8)


async def test_half_a_pair_of_utf_16_goes_to_no_terminal(home: Home) -> None:
    file_of(home).write_text(json.dumps(saved(home) | {"mark": "\ud800"}))
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await to_json_pane(stage, page)
        await stage.press("ctrl+end")
        await sees(stage, r"\ud800")
        shown(stage).encode()
        await put(stage, page, ("host",), "new.example")
        await saves(stage)
        await sees(stage, "Saved resource uzh")
    assert saved(home)["mark"] == "\ud800"


async def test_what_is_nested_too_deeply_is_told(home: Home) -> None:
    text = json.dumps(saved(home))
    deep = text[:-1] + ', "x": ' + '{"a":' * 900 + "1" + "}" * 901
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        area = await to_json_pane(stage, page)
        area.text = deep
        await sees(stage, "nested too deeply")
        area.text = text
        await until(stage, lambda: not page.beside.json.broken)
        await stage.press("escape", "escape")
        await until(stage, lambda: not isinstance(stage.app.screen, EditPage))
        file_of(home).write_text(deep)
        await opened(stage)
        await sees(stage, "nested too deeply")


async def test_a_file_that_is_no_utf_8_is_in_the_form_too(home: Home) -> None:
    file_of(home).write_bytes(json.dumps(saved(home) | {"name": "#"}).encode().replace(b'"#"', b'"\xe9"'))
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        assert page.draft.text(("name",)) == "\ufffd"
        assert page.unsaved
        await saves(stage)
        await sees(stage, "Saved resource uzh")
    assert saved(home)["name"] == "\ufffd"


async def test_what_is_typed_while_it_is_written_is_not_taken_for_saved(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(home: Home, subject: Subject, data: object) -> Subject:
        begun.set()
        assert go_on.wait(60)
        return save_subject(home, subject, data)

    monkeypatch.setattr(saving, "save_subject", slowly)
    async with on_stage(home, size=(160, 45)) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "first.example")
        await stage.press("ctrl+s")
        await at(stage, Difference)
        await stage.press("y")
        await until(stage, begun.is_set)
        try:
            await put(stage, page, ("host",), "second.example")
            # Once more is no second writer, and does not call back the first.
            await stage.press("ctrl+s")
            await sees(stage, "It is just being saved")
            await at(stage, EditPage)
        finally:
            go_on.set()
        await sees(stage, "Saved resource uzh")
        assert saved(home)["host"] == "first.example"
        assert page.draft.changed(("host",)) and not page.elsewhere
        monkeypatch.undo()
        await saves(stage)
        await until(stage, lambda: saved(home)["host"] == "second.example")


async def test_a_read_only_dashboard_writes_nothing_over_what_was_changed_elsewhere(home: Home) -> None:
    async with on_stage(home, size=(120, 40), read_only=True) as stage:
        page = await opened(stage)
        await put(stage, page, ("host",), "mine.example")
        theirs = saved(home) | {"host": "theirs.example"}
        file_of(home).write_text(json.dumps(theirs))
        await stage.press("f7")
        await at(stage, Difference)
        await sees(stage, "was changed elsewhere", "Take theirs")
        assert "Save mine" not in shown(stage)
        await stage.press("t")
        await until(stage, lambda: page.draft.text(("host",)) == "theirs.example")
    assert saved(home) == theirs and not file_of(home).with_name("resource.json~").exists()
