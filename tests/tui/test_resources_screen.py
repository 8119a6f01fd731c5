"""The Resources screen: what there is, and what can be done with it, on real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input

from runners.config.errors import ConfigError
from runners.config.files import read_profile, read_resource
from runners.config.folders import duplicate_profile, remove_profile
from runners.config.home import Home
from runners.config.json_text import from_json
from tests.clusters import add_cluster
from tests.tui import slurm_story
from tests.tui.drafting import keep_draft
from tests.tui.stage import Stage, at, make_home, on_stage, sees, shown, until
from tui.drafts import left_drafts, refuse_typed
from tui.inventory import Entry, read_inventory
from tui.messages import OpenField
from tui.screens.choose import Choose
from tui.screens.confirm import Confirm
from tui.screens.difference import Difference
from tui.screens.edit import EditPage
from tui.screens.line import AskLine
from tui.screens.resources import ResourcesPage
from tui.subject import Subject, open_subject
from tui.widgets.virtual_table import VirtualTable


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home", slurm_story.clusters)
    add_cluster(home, "alps", "slurm_ssh", host="login.alps.example")
    add_cluster(home, "uzh", "slurm_sudo")
    return home


def table(stage: Stage) -> VirtualTable:
    """On its page, be there a line over it that is not answered yet."""
    page = next(screen for screen in stage.app.screen_stack if isinstance(screen, ResourcesPage))
    return page.query_one("#resource-table", VirtualTable)


async def opened(stage: Stage, key: str) -> None:
    """The screen, with the cursor on this row."""
    await stage.press("R")
    await at(stage, ResourcesPage)
    await until(stage, lambda: key in table(stage).keys)
    table(stage).move_to(key)
    await stage.pause()


async def typed(stage: Stage, text: str) -> None:
    """This text in the line that is asked for."""
    await at(stage, AskLine)
    stage.app.screen.query_one("#typed", Input).value = text
    await stage.press("enter")


def row(stage: Stage, name: str) -> str:
    """That row of the table, as it is shown."""
    return next(line for line in shown(stage).splitlines() if line.startswith(f" {name}"))


def names(home: Home) -> list[str]:
    return sorted(path.name for path in home.resources.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_resources_and_their_profiles_stand_below_each_other(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, size=size) as stage:
        await opened(stage, "alps/me")
        assert list(table(stage).keys) == ["alps", "alps/me", "local", "uzh", "uzh/me"]
        # Two runs of the story go on there.
        alps = row(stage, "alps")
        assert "slurm_ssh" in alps and "✓ valid" in alps and "2" in alps
        await sees(stage, "└ me", "as nobody", "profiles/me.json")
        duplicate_profile(home.resources, "alps", "me", "you")
        await sees(stage, "├ me", "└ you")


async def test_a_broken_one_hides_no_other_and_says_why(home: Home) -> None:
    (home.resources / "bad").mkdir()
    (home.resources / "bad" / "resource.json").write_text('{"type": "[/]\\u001b[2J"}')
    async with on_stage(home) as stage:
        await opened(stage, "bad")
        await sees(stage, "✗ broken", "type must be one of local, slurm_sudo, slurm_ssh")
        assert len(table(stage).keys) == 6


async def test_what_is_edited_elsewhere_is_seen(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screens.resources.LOOK_S", 0.05)
    async with on_stage(home) as stage:
        await opened(stage, "uzh")
        path = home.resources / "uzh" / "resource.json"
        path.write_text(path.read_text().replace('"main"', '"night"'))
        await sees(stage, "partition night")
        add_cluster(home, "zeus", "slurm_sudo")
        await sees(stage, "zeus")
        # The cursor stays on its row.
        assert table(stage).cursor_key == "uzh"


async def test_a_resource_is_duplicated_with_its_profiles(home: Home) -> None:
    async with on_stage(home) as stage:
        await opened(stage, "alps")
        await stage.press("d")
        await typed(stage, "etna")
        await sees(stage, "etna is a copy of alps")
        await until(stage, lambda: table(stage).cursor_key == "etna")
    assert (
        read_profile(home.resources, "etna", "me").value == read_profile(home.resources, "alps", "me").value
    )


async def test_a_name_that_is_taken_or_none_is_told_as_it_is_typed(home: Home) -> None:
    async with on_stage(home) as stage:
        await opened(stage, "uzh")
        await stage.press("d")
        await typed(stage, "alps")
        await sees(stage, "There is 'alps' already")
        await typed(stage, "a/b")
        await sees(stage, "it holds a /")
        await stage.press("escape")
        await at(stage, ResourcesPage)
    assert names(home) == ["alps", "local", "uzh"]


async def test_a_rename_moves_everything(home: Home) -> None:
    before = (home.resources / "uzh" / "resource.json").read_bytes()
    async with on_stage(home) as stage:
        await opened(stage, "uzh")
        await stage.press("r")
        await typed(stage, "zurich")
        await until(stage, lambda: table(stage).cursor_key == "zurich")
        table(stage).move_to("zurich/me")
        await stage.press("r")
        await typed(stage, "you")
        await until(stage, lambda: table(stage).cursor_key == "zurich/you")
    # It told the name that it went by, and does so still.
    after = (home.resources / "zurich" / "resource.json").read_bytes()
    assert after == before.replace(b'"name": "uzh"', b'"name": "zurich"') != before
    assert read_profile(home.resources, "zurich", "you").value.username == "nobody"
    assert names(home) == ["alps", "local", "zurich"]


async def test_removing_asks_first(home: Home) -> None:
    async with on_stage(home) as stage:
        await opened(stage, "uzh")
        await stage.press("x")
        await at(stage, Confirm)
        await sees(stage, "Remove the resource uzh and its profile?")
        await stage.press("n", "x")
        await at(stage, Confirm)
        assert names(home) == ["alps", "local", "uzh"]
        await stage.press("y")
        await sees(stage, "uzh has been removed.")
        await until(stage, lambda: list(table(stage).keys) == ["alps", "alps/me", "local"])
    assert names(home) == ["alps", "local"]


async def test_what_live_runs_use_stays(home: Home) -> None:
    """The runs of the story go on on `alps`, as mira."""
    async with on_stage(home) as stage:
        await opened(stage, "alps")
        await stage.press("x")
        await at(stage, Confirm)
        await stage.press("y")
        await sees(stage, "can't be removed while run")
        await stage.press("r")
        await typed(stage, "other")
        await sees(stage, "can't be renamed while run")
    assert names(home) == ["alps", "local", "uzh"]


async def test_saving_says_that_live_runs_are_reached_by_it(home: Home) -> None:
    async with on_stage(home) as stage:
        stage.app.post_message(OpenField("alps", None, "host"))
        await at(stage, EditPage)
        page = stage.app.screen
        assert isinstance(page, EditPage)
        await until(stage, lambda: page.form.path == ("host",) and page.form.has_focus_within)
        await stage.press("end", *".org", "ctrl+s")
        await at(stage, Difference)
        # However the sentence is wrapped.
        await sees(stage, "2 live runs are on it: they are reached by what is saved here")


async def test_local_is_neither_renamed_nor_removed(home: Home) -> None:
    async with on_stage(home) as stage:
        await opened(stage, "local")
        await stage.press("x")
        await at(stage, Confirm)
        await stage.press("y")
        await sees(stage, "can't be removed, since")
    assert "local" in names(home)


async def test_a_new_one_begins_with_a_template_and_is_not_written_before_it_is_saved(home: Home) -> None:
    async with on_stage(home) as stage:
        await opened(stage, "local")
        await stage.press("n")
        await at(stage, Choose)
        await stage.press("down", "enter")
        await typed(stage, "new-one")
        await at(stage, EditPage)
        await sees(stage, "resource new-one", "new, not saved yet")
        await stage.press("escape")
        await at(stage, Confirm)
        await stage.press("y")
        await at(stage, ResourcesPage)
    assert "new-one" not in names(home)


async def test_import_and_export_keep_the_json_as_it_is(home: Home, tmp_path: Path) -> None:
    document = json.loads((home.resources / "uzh" / "resource.json").read_text())
    document = {"id": 7, **document, "timestamp_created": "2026-01-01T00:00:00Z", "name": "Zürich"}
    document["jobs_runner_config"]["default_slurm_config"]["mem"] = "3G"
    file, out = tmp_path / "in.json", tmp_path / "out.json"
    file.write_text(json.dumps(document))
    async with on_stage(home, size=(160, 45)) as stage:
        await opened(stage, "local")
        await stage.press("i")
        await typed(stage, str(file))
        await typed(stage, "zurich")
        await at(stage, EditPage)
        await sees(stage, "without effect: id, timestamp_created")
        await stage.press("ctrl+s")
        await sees(stage, '+  "id": 7,')
        await stage.press("y")
        await sees(stage, "Saved resource zurich. It needs a profile now,")
        await stage.press("escape")
        await at(stage, ResourcesPage)
        await until(stage, lambda: "zurich" in table(stage).keys)
        table(stage).move_to("zurich")
        await stage.press("o")
        await typed(stage, str(out))
        await sees(stage, "zurich was written to")
        await stage.press("o")
        await typed(stage, str(out))
        await sees(stage, "Cannot write")
    assert json.loads(out.read_text()) == document
    assert list(json.loads(out.read_text())) == list(document)
    assert read_resource(home.resources, "zurich").value.name == "Zürich"


async def test_a_read_only_dashboard_changes_nothing(home: Home) -> None:
    async with on_stage(home, read_only=True) as stage:
        await opened(stage, "uzh")
        for key in "ndrxip":
            await stage.press(key)
            await at(stage, ResourcesPage)
        await sees(stage, "This dashboard is read-only")
        assert " n new" not in shown(stage).splitlines()[-1]


async def test_a_filter(home: Home) -> None:
    async with on_stage(home) as stage:
        await opened(stage, "local")
        await stage.press("slash", *"kind:ssh", "enter")
        await until(stage, lambda: list(table(stage).keys) == ["alps", "alps/me"])
        await stage.press("escape")
        await until(stage, lambda: len(table(stage).keys) == 5)


async def test_a_name_that_an_import_offers_is_harmless(home: Home, tmp_path: Path) -> None:
    document = json.loads((home.resources / "uzh" / "resource.json").read_text())
    file = tmp_path / "in.json"
    file.write_text(json.dumps(document | {"name": "a\x1b[2J\x9b31m\u202e"}))
    async with on_stage(home, size=(160, 45)) as stage:
        await opened(stage, "local")
        await stage.press("i")
        await typed(stage, str(file))
        await sees(stage, "Import a resource", "a␛[2J")
        assert not {"\x1b", "\x9b", "\u202e"} & set(shown(stage))


TYPED = {"type": "slurm_ssh", "name": "etna", "host": "etna.example"}


async def test_what_was_typed_and_never_saved_is_listed_and_gone_on_with(home: Home) -> None:
    keep_draft(home, Subject("etna", None, {}), TYPED)
    async with on_stage(home, size=(80, 24)) as stage:
        await opened(stage, "etna")
        assert list(table(stage).keys) == ["alps", "alps/me", "etna", "local", "uzh", "uzh/me"]
        await sees(stage, "• not saved", "not saved: enter goes on, x drops it.")
        # There is no file that these could be done to.
        await stage.press("d", "r", "o", "p", "f8")
        assert isinstance(stage.app.screen, ResourcesPage)
        await sees(stage, "etna is not saved yet")
        await stage.press("enter")
        await at(stage, EditPage)
        await sees(stage, "resource etna   new, not saved yet", "etna.example")
        await stage.press("escape")
        await at(stage, Confirm)
        await stage.press("y")
        await at(stage, ResourcesPage)
        await until(stage, lambda: "etna" not in table(stage).keys)
    assert names(home) == ["alps", "local", "uzh"]


async def test_what_was_typed_is_read_again_only_once_it_is_another(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended, read = [0], [0], list[str]()

    def looked(home: Home) -> tuple[Entry, ...]:
        begun[0] += 1
        entries = read_inventory(home)
        ended[0] += 1
        return entries

    def parsed(content: bytes, where: str) -> object:
        read.append(where)
        return from_json(content, where)

    monkeypatch.setattr("tui.screens.resources.LOOK_S", 0.05)
    monkeypatch.setattr("tui.screens.resources.read_inventory", looked)
    monkeypatch.setattr("tui.drafts.from_json", parsed)
    keep_draft(home, Subject("etna", None, {}), TYPED)
    keep_draft(home, Subject("alps", "me", {}), {"resource_type": "slurm_ssh", "name": "me"})
    async with on_stage(home) as stage:
        await opened(stage, "etna")
        # One look may begin before another has ended: then both read.
        await until(stage, lambda: begun == ended)
        before, looks = list(read), ended[0]
        assert set(before) == {str(draft.path) for draft in left_drafts(home)}
        await until(stage, lambda: ended[0] > looks + 3)
        assert read == before
        changed = next(draft.path for draft in left_drafts(home) if draft.resource == "etna")
        keep_draft(home, Subject("etna", None, {}), {**TYPED, "type": "slurm_sudo"})
        await until(stage, lambda: "slurm_sudo" in row(stage, "etna"))
        assert set(read[len(before) :]) == {str(changed)}


async def test_what_was_typed_and_never_saved_is_dropped_after_a_question(home: Home) -> None:
    keep_draft(home, Subject("etna", None, {}), TYPED)
    keep_draft(home, Subject("alps", "new-one", {}), {"resource_type": "slurm_ssh", "name": "new-one"})
    async with on_stage(home) as stage:
        await opened(stage, "alps/new-one")
        await stage.press("x")
        await at(stage, Confirm)
        await sees(stage, "Drop what was typed of alps/new-one and never saved?")
        await stage.press("y")
        await until(stage, lambda: "alps/new-one" not in table(stage).keys)
        assert "etna" in table(stage).keys
    assert [draft.key for draft in left_drafts(home)] == ["etna"]


async def test_what_was_typed_of_one_that_is_saved_is_marked_and_goes_with_it(home: Home) -> None:
    for subject in (open_subject(home, "uzh", None), open_subject(home, "uzh", "me")):
        assert isinstance(subject.document, dict)
        keep_draft(home, subject, {**subject.document, "comment": "later"})
    async with on_stage(home) as stage:
        await opened(stage, "uzh")
        await sees(stage, "uzh •", "me •", "not saved: enter goes on with it.")
        await stage.press("r")
        await typed(stage, "zurich")
        await sees(stage, "zurich •", "me •")
        assert {draft.key for draft in left_drafts(home)} == {"zurich", "zurich/me"}
        await stage.press("x")
        await at(stage, Confirm)
        await stage.press("y")
        await until(stage, lambda: "zurich" not in table(stage).keys)
    assert left_drafts(home) == ()


async def test_a_cluster_without_a_profile_says_what_it_lacks(home: Home) -> None:
    remove_profile(home.resources, "uzh", "me")
    async with on_stage(home) as stage:
        await opened(stage, "uzh")
        await sees(stage, "! no profile", "It needs one, for who you are there: p makes it.")
        await stage.press("p")
        await at(stage, AskLine)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_the_keys_and_the_partition_have_room(home: Home, size: tuple[int, int]) -> None:
    async with on_stage(home, size=size) as stage:
        await opened(stage, "uzh")
        await sees(stage, "this cluster, main", "partition main", "d copy", "r rename", "x remove")


async def test_a_name_under_which_something_was_typed_is_not_taken_from_it(home: Home) -> None:
    keep_draft(home, Subject("etna", None, {}), TYPED)
    keep_draft(home, Subject("etna", "me", {}), {"resource_type": "slurm_ssh", "name": "me"})
    async with on_stage(home) as stage:
        await opened(stage, "uzh")
        for key in ("r", "d"):
            await stage.press(key)
            await typed(stage, "etna")
            await sees(stage, "There is 'etna' already")
            await stage.press("escape")
            await at(stage, ResourcesPage)
    with pytest.raises(ConfigError, match="Something was typed for etna in a form and not saved"):
        refuse_typed(home, "etna", None)
    assert [draft.key for draft in left_drafts(home)] == ["etna", "etna/me"]


async def test_what_is_open_in_a_form_is_not_renamed_or_removed_above_it(home: Home) -> None:
    keep_draft(home, Subject("etna", None, {}), TYPED)
    async with on_stage(home) as stage:
        await opened(stage, "etna")
        await stage.press("enter")
        await at(stage, EditPage)
        form = stage.app.screen
        stage.app.post_message(OpenField("uzh", "me", "username"))
        await until(stage, lambda: isinstance(stage.app.screen, EditPage) and stage.app.screen is not form)
        await stage.app.run_action("app.resources")
        await at(stage, ResourcesPage)
        # There is one table, and one form of each.
        assert [type(page) for page in stage.app.screen_stack].count(ResourcesPage) == 1
        for name in ("uzh", "uzh/me", "etna"):
            table(stage).move_to(name)
            for key in ("x",) if name == "etna" else ("x", "r"):
                await stage.press(key)
                await sees(stage, "is open: leave it first.")
                assert isinstance(stage.app.screen, ResourcesPage)
        await stage.press("enter")
        await until(stage, lambda: stage.app.screen is form)
    assert names(home) == ["alps", "local", "uzh"]


async def test_a_broken_file_that_was_only_opened_is_no_draft(home: Home) -> None:
    (home.resources / "uzh" / "resource.json").write_text('{"type": ')
    async with on_stage(home) as stage:
        await opened(stage, "uzh")
        await stage.press("enter")
        await at(stage, EditPage)
        page = stage.app.screen
        assert isinstance(page, EditPage)
        await until(stage, lambda: page.beside.json.broken and not page.unsaved)
        await stage.press("escape", "escape")
        await at(stage, ResourcesPage)
    assert left_drafts(home) == ()


async def test_why_a_file_can_not_be_read_is_told_whole(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "projects" / "imaging-facility-of-the-institute" / "cluster-configuration-2026.json"
    async with on_stage(home, size=(80, 24)) as stage:
        await opened(stage, "uzh")
        await stage.press("i")
        await typed(stage, str(path))
        await sees(stage, "No such file or directory")
