"""Lists and maps in a form: added to, removed from, moved; by keys and by mouse."""

from textual import events

from tests.tui.form_stage import DEFAULT, EXPORTS, PYTHON, FormStage, document, form_stage
from tui.forms.spec import Path
from tui.widgets.form.form import AT_ONCE

LINES: Path = (*DEFAULT, "extra_lines")
VERSIONS: Path = (*PYTHON, "versions")
A, B, C = "module load a", "module load b", "module load c"


def lines(stage: FormStage) -> object:
    return stage.draft.raw(LINES)


async def test_lines_by_keys() -> None:
    async with form_stage() as stage:
        await stage.go_to(LINES)
        assert "3 lines" in stage.line(LINES)
        await stage.press("down", "enter")
        assert stage.focused == (*LINES, 1)
        await stage.type("new")
        assert lines(stage) == [A, "new", B, C]
        await stage.press("alt+down")
        assert lines(stage) == [A, B, "new", C] and stage.focused == (*LINES, 2)
        await stage.press("ctrl+up")
        assert lines(stage) == [A, "new", B, C] and stage.focused == (*LINES, 1)
        assert stage.input.value == "new"
        await stage.press("ctrl+l")
        assert lines(stage) == [A, B, C] and stage.focused == (*LINES, 1)
        assert stage.input.value == B
        await stage.press("ctrl+z")
        assert lines(stage) == [A, "new", B, C]
        await stage.press("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z")
        assert lines(stage) == [A, B, C] and not stage.draft.changed()


async def test_moves_end_at_the_ends() -> None:
    async with form_stage() as stage:
        await stage.go_to((*LINES, 0))
        await stage.press("alt+up")
        assert lines(stage) == [A, B, C]
        await stage.go_to((*LINES, 2))
        await stage.press("alt+down")
        assert lines(stage) == [A, B, C] and not stage.draft.changed()


async def test_a_new_line_is_not_wrong_before_one_was_there_whatever_stood_in_its_place() -> None:
    async with form_stage() as stage:
        await stage.go_to((*LINES, 1))
        await stage.type("x")
        await stage.press("up", "enter")
        assert stage.focused == (*LINES, 1) and (*LINES, 1) in stage.draft.errors
        assert "✗" not in stage.line((*LINES, 1))
        await stage.type("y")
        await stage.press("ctrl+u", "enter")
        assert "✗" in stage.line((*LINES, 1)) and "✗" not in stage.line((*LINES, 2))


async def test_a_new_line_that_is_left_as_it_was_goes() -> None:
    async with form_stage() as stage:
        await stage.go_to((*LINES, 2))
        # Enter after the last value, once more, and on to what comes next.
        await stage.press("enter", "enter")
        assert stage.focused == (*LINES, 3) and lines(stage) == [A, B, C, ""]
        await stage.press("up")
        await stage.until(lambda: stage.focused == (*LINES, 2))
        assert lines(stage) == [A, B, C] and not stage.draft.changed() and stage.draft.errors == {}
        # What is below it moves up, and one goes on in that.
        await stage.go_to((*LINES, 0))
        await stage.burst("enter", "down", "end", "2")
        await stage.until(lambda: lines(stage) == [A, f"{B}2", C])
        assert stage.focused == (*LINES, 1)
        # It is no step of its own.
        await stage.press("ctrl+z")
        assert lines(stage) == [A, B, C] and not stage.draft.changed()


async def test_so_does_an_entry_without_a_key_and_a_value() -> None:
    async with form_stage() as stage:
        await stage.go_to((*VERSIONS, 0))
        await stage.press("enter", "enter")
        assert stage.focused == (*VERSIONS, 1) and stage.draft.errors
        await stage.press("f6")
        await stage.until(lambda: not stage.draft.errors)
        assert stage.draft.size(VERSIONS) == 1 and not stage.draft.changed()
        # One with a key is meant to be there.
        await stage.go_to((*VERSIONS, 0))
        await stage.press("enter", "enter")
        await stage.type("3.11")
        await stage.press("up", "up")
        assert stage.draft.size(VERSIONS) == 2 and stage.draft.errors


async def test_many_lines_that_are_pasted_are_as_many_lines() -> None:
    async with form_stage() as stage:
        await stage.go_to((*LINES, 1))
        await stage.press("ctrl+u")
        stage.app.post_message(events.Paste("#SBATCH --exclusive\r\n\n  export A=1\nulimit -n 9\n"))
        await stage.until(lambda: stage.focused == (*LINES, 3))
        assert lines(stage) == [A, "#SBATCH --exclusive", "  export A=1", "ulimit -n 9", C]
        await stage.type("9")
        assert lines(stage) == [A, "#SBATCH --exclusive", "  export A=1", "ulimit -n 99", C]
        assert stage.draft.errors == {}
        while stage.draft.changed():
            await stage.press("ctrl+z")
        assert lines(stage) == [A, B, C]


async def test_one_line_that_is_pasted_stays_where_it_is() -> None:
    async with form_stage() as stage:
        await stage.go_to((*LINES, 1))
        stage.app.post_message(events.Paste(" x\n"))
        await stage.until(lambda: lines(stage) == [A, f"{B} x", C])
        assert stage.focused == (*LINES, 1)
        # An entry of a map has no room for more than one.
        await stage.go_to((*VERSIONS, 0))
        stage.app.post_message(events.Paste("8\n9"))
        await stage.until(lambda: stage.draft.key((*VERSIONS, 0)) == "3.128")
        await stage.pilot.pause()
        assert stage.draft.size(VERSIONS) == 1


async def test_backspace_removes_an_empty_line() -> None:
    async with form_stage() as stage:
        await stage.go_to((*LINES, 1))
        await stage.press("ctrl+u", "backspace")
        assert lines(stage) == [A, C] and stage.focused == (*LINES, 0)
        assert stage.input.cursor_at_end
        await stage.press("ctrl+u", "backspace", "end", "ctrl+u", "backspace")
        assert lines(stage) == [] and stage.focused == LINES
        assert "none" in stage.line(LINES)
        await stage.press("enter")
        await stage.type("x")
        assert lines(stage) == ["x"]


async def test_a_faulty_line_tells_it_beside_itself() -> None:
    async with form_stage() as stage:
        await stage.go_to((*LINES, 1))
        await stage.press("ctrl+u")
        await stage.type("#SBATCH -A x")
        assert "✗" in stage.line((*LINES, 1))
        assert "✗" not in stage.line((*LINES, 0)) and "✗" not in stage.line((*LINES, 2))


async def test_lines_by_mouse() -> None:
    async with form_stage(size=(160, 45)) as stage:
        await stage.go_to(DEFAULT)
        for index, (sign, expected) in enumerate([("↓", [B, A, C]), ("↑", [A, B, C])]):
            row = stage.row((*LINES, index))
            await stage.click(row, stage.line(row.path).index(sign) - row.region.x)
            assert lines(stage) == expected
        row = stage.row((*LINES, 1))
        await stage.click(row, stage.line(row.path).index("−") - row.region.x)
        assert lines(stage) == [A, C]
        head = stage.row(LINES)
        await stage.click(head, stage.line(LINES).index("+") - head.region.x)
        assert lines(stage) == [A, C, ""] and stage.focused == (*LINES, 2)
        # It is a fault that nobody is told of before it was typed in.
        assert stage.draft.errors and "✗" not in stage.line((*LINES, 2))


async def test_of_two_clicks_in_a_row_the_second_finds_nothing_to_remove() -> None:
    async with form_stage(size=(160, 45)) as stage:
        await stage.go_to((*LINES, 2))
        row = stage.row((*LINES, 2))
        x, y = stage.line(row.path).index("−"), row.region.y
        for kind in (events.MouseDown, events.MouseUp) * 2:
            stage.app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))
        await stage.until(lambda: stage.focused == (*LINES, 1))
        await stage.pilot.pause()
        assert lines(stage) == [A, B]
        await stage.type("2")
        assert lines(stage) == [A, f"{B}2"]


async def test_a_map_by_keys() -> None:
    async with form_stage() as stage:
        await stage.go_to(VERSIONS)
        await stage.press("enter")
        assert stage.focused == (*VERSIONS, 1)
        await stage.type("3.9")
        await stage.press("enter")
        await stage.type("/usr/bin/python3.9")
        assert stage.draft.raw(VERSIONS) == {"3.12": "/usr/bin/python3.12", "3.9": "/usr/bin/python3.9"}
        assert stage.draft.errors == {}
        await stage.press("alt+up")
        assert list(stage.draft.document["tasks_python_config"]["versions"]) == ["3.9", "3.12"]
        assert stage.focused == (*VERSIONS, 0)
        await stage.press("ctrl+l")
        assert stage.draft.raw(VERSIONS) == {"3.12": "/usr/bin/python3.12"}
        await stage.press("ctrl+z", "ctrl+z")
        assert list(stage.draft.document["tasks_python_config"]["versions"]) == ["3.12", "3.9"]


async def test_a_faulty_key_stands_at_its_line() -> None:
    async with form_stage() as stage:
        await stage.go_to((*VERSIONS, 0))
        await stage.type("9")
        assert stage.draft.key((*VERSIONS, 0)) == "3.129"
        assert stage.draft.text((*VERSIONS, 0)) == "/usr/bin/python3.12"
        assert "✗" in stage.line((*VERSIONS, 0))


async def test_a_faulty_entry_tells_it_beside_itself_and_keeps_its_key() -> None:
    value = document(
        tasks_python_config={"default_version": "3.9", "versions": {"3.9": "usr/bin/python" * 3}}
    )
    async with form_stage(value, size=(80, 24)) as stage:
        await stage.go_to(VERSIONS)
        row = stage.row((*VERSIONS, 0))
        await stage.until(lambda: "✗ must be an abs" in stage.line(row.path))
        key, yielded = (editor.region for editor in row.editors)
        await stage.press("down", "tab")
        assert stage.app.focused is row.editors[1]
        await stage.until(lambda: row.editors[1].region.width > yielded.width + 15)
        assert row.editors[0].region == key and stage.line(row.path).endswith("✗")
        assert row.editors[1].region.offset == yielded.offset


async def test_the_same_key_twice_is_kept_while_it_is_typed() -> None:
    async with form_stage() as stage:
        await stage.go_to(EXPORTS)
        await stage.press("enter")
        await stage.type("CELLPOSE_LOCAL_MODELS_PATH")
        assert stage.draft.size(EXPORTS) == 2 and stage.draft.errors
        await stage.type("2")
        await stage.press("enter")
        await stage.type("other")
        assert stage.draft.errors == {}
        assert stage.draft.raw(EXPORTS) == {
            "CELLPOSE_LOCAL_MODELS_PATH": "cellpose",
            "CELLPOSE_LOCAL_MODELS_PATH2": "other",
        }


async def test_keys_are_suggested_where_only_some_may_be() -> None:
    async with form_stage() as stage:
        await stage.go_to(VERSIONS)
        await stage.press("enter")
        await stage.type("3.1")
        await stage.pilot.pause()
        assert stage.input._suggestion == "3.10"
        await stage.press("right")
        assert stage.draft.key((*VERSIONS, 1)) == "3.10"


async def test_up_and_down_keep_the_column() -> None:
    async with form_stage() as stage:
        await stage.go_to(VERSIONS)
        await stage.press("enter")
        await stage.type("3.9")
        await stage.press("enter", "up")
        assert stage.input.value == "/usr/bin/python3.12"
        await stage.press("tab")
        assert stage.input.value == "3.9"


async def test_a_long_list_comes_in_parts() -> None:
    value = document()
    texts = [f"line {n}" for n in range(70)]
    value["jobs_runner_config"]["default_slurm_config"]["extra_lines"] = texts
    async with form_stage(value) as stage:
        stage.form.go_to((*DEFAULT, "mem"))
        await stage.until(lambda: stage.focused == (*DEFAULT, "mem"))
        assert len(stage.rows) == AT_ONCE
        await stage.until(lambda: len(stage.rows) == 14 + 70)
        assert [row.path for row in stage.rows if row.path[:-1] == LINES] == [(*LINES, n) for n in range(70)]
        assert stage.focused == (*DEFAULT, "mem")
        await stage.go_to((*LINES, 69))
        assert stage.input.value == "line 69" and "line 69" in stage.text
        await stage.press("ctrl+l", "ctrl+z")
        assert lines(stage) == texts and stage.draft.errors == {}
        # At once where it is wanted.
        await stage.go_to(())
        await stage.go_to((*LINES, 69))
        assert stage.focused == (*LINES, 69)
