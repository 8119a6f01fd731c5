"""A check says that it is old once what was checked has changed, be it in files or in open forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runners.config.home import Home
from runners.config.places import document_path, resource_path
from tests.tui import check_story, stores
from tests.tui.check_story import ALL, WAY
from tests.tui.stage import Stage, at, make_home, on_stage, sees, shown, until
from tests.tui.test_check_screen import checked, engine, table
from tests.tui.test_check_typed import form, open_form, pages
from tests.tui.test_resources_screen import table as resources
from tui.screens.check import CheckPage
from tui.screens.confirm import Confirm
from tui.screens.difference import Difference
from tui.screens.resources import ResourcesPage

OLD = "changed since: r checks again"
FIRST = "✓ ok      alps.example resolves"
PLACES = {None: "host", "me": "jobs_remote_dir"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home", stores.typical)
    check_story.add_alps(home)
    return home


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other at once: what is said of one lasts."""
    monkeypatch.setattr("tui.screens.check.LOOK_S", 0.05)


@pytest.fixture
def on_return(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no look but that of one who comes back."""
    monkeypatch.setattr("tui.screens.check.LOOK_S", 3_600.0)


def write(home: Home, profile: str | None, **values: object) -> None:
    """These values in the file of `alps`, or of its profile; keys the other way round say the same."""
    path = document_path(home.resources, "alps", profile)
    document = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps(dict(reversed(document.items()))))


def muted(stage: Stage) -> bool:
    """Whether the first row of the table looks as one of the time before."""
    first = table(stage)._row(next(iter(table(stage).keys)))
    return all(style == "muted" for text, style in first if text.strip())


async def save(stage: Stage) -> None:
    await stage.press("ctrl+s")
    await at(stage, Difference)
    await stage.press("y")
    await sees(stage, "Saved ")


async def give_up(stage: Stage) -> None:
    await stage.press("escape")
    await at(stage, Confirm)
    await stage.press("y")


async def back(stage: Stage) -> None:
    await stage.press("escape")
    await at(stage, CheckPage)


@pytest.mark.usefixtures("on_return")
@pytest.mark.parametrize("profile", [None, "me"])
async def test_who_saves_in_the_form_and_comes_back_finds_the_check_called_old(
    home: Home, profile: str | None
) -> None:
    async with on_stage(home) as stage:
        await checked(stage, *ALL)
        assert not muted(stage)
        await open_form(stage, profile, PLACES[profile])
        await save(stage)
        await back(stage)
        await sees(stage, f"{OLD}  ✗ 1  ! 1  ? 2  ✓ 13", "Check  17  done at 14:13")
        assert muted(stage) and "as saved" not in shown(stage)
        # It does not check by itself.
        assert len(engine(stage).checked) == 1
        await stage.press("r")
        await sees(stage, "alps as me  as saved", "done at 14:13")
        assert OLD not in shown(stage) and not muted(stage)
        given = engine(stage).checked[1][0 if profile is None else 1]
        assert isinstance(given, dict) and given[PLACES[profile]].endswith(".x")


@pytest.mark.usefixtures("on_return")
async def test_who_gives_up_what_was_typed_finds_the_check_as_good_as_before(home: Home) -> None:
    async with on_stage(home) as stage:
        await checked(stage, *WAY)
        # Somebody else has edited it meanwhile, and takes that back.
        write(home, None, host="other.invalid")
        await open_form(stage, None, "host")
        await give_up(stage)
        await at(stage, CheckPage)
        await sees(stage, OLD)
        write(home, None, host="cluster.invalid")
        await open_form(stage, None, "host")
        await give_up(stage)
        await at(stage, CheckPage)
        await sees(stage, "alps as me  as saved", FIRST)
        assert not muted(stage)


@pytest.mark.usefixtures("at_once")
async def test_files_that_are_edited_elsewhere_are_seen_and_so_it_is_when_they_come_back(home: Home) -> None:
    async with on_stage(home) as stage:
        await checked(stage, *WAY)
        before = resource_path(home.resources, "alps").read_bytes()
        for profile, values in ((None, {"host": "other.invalid"}), ("me", {"username": "moritz"})):
            write(home, profile, **values)
            await sees(stage, OLD)
            was = {"host": "cluster.invalid"} if profile is None else {"username": "mira"}
            write(home, profile, **was)
            await sees(stage, "alps as me  as saved")
        # Broken, or gone: that is another one as well.
        resource_path(home.resources, "alps").write_text("{")
        await sees(stage, OLD)
        resource_path(home.resources, "alps").write_bytes(before)
        await sees(stage, "as saved")
        document_path(home.resources, "alps", "me").unlink()
        await sees(stage, OLD)
        await stage.press("r")
        await sees(stage, "There is no profile", "not finished")


@pytest.mark.usefixtures("at_once")
async def test_a_check_that_goes_on_is_old_as_well(home: Home) -> None:
    async with on_stage(home) as stage:
        client = engine(stage)
        client.checking = True
        client.findings = WAY[:2]
        await stage.press("R")
        await at(stage, ResourcesPage)
        await until(stage, lambda: "alps" in resources(stage).keys)
        resources(stage).move_to("alps")
        await stage.press("f8")
        await sees(stage, "Check  2  running…", "as saved")
        write(home, None, host="other.invalid")
        await sees(stage, OLD)
        client.findings += WAY[2:]
        await sees(stage, "Check  7  running…", f"{OLD}  ✓ 7")
        assert muted(stage)
        client.checking = False
        await sees(stage, "Check  7  done at 14:13", f"{OLD}  ✓ 7")
        assert muted(stage)


@pytest.mark.usefixtures("at_once")
async def test_what_was_checked_as_typed_is_compared_with_what_is_typed(home: Home) -> None:
    async with on_stage(home) as stage:
        engine(stage).findings = ALL
        cluster = await open_form(stage, None, "host")
        await stage.press("f8")
        await sees(stage, "alps as me  resource as typed, not saved", "done at")
        # The file of what is typed does not count, its profile's does.
        write(home, None, host="other.invalid")
        write(home, "me", username="moritz")
        await sees(stage, OLD)
        write(home, "me", username="mira")
        await sees(stage, "resource as typed, not saved")
        # Once it is saved as it was checked, it is as good as before, and called saved.
        saved = json.loads(resource_path(home.resources, "alps").read_text())
        write(home, None, **{**saved, "host": "cluster.invalid.x"})
        await sees(stage, "alps as me  as saved")
        assert not muted(stage)
        # Of another form that lies between: what is typed there now is what counts.
        table(stage).move_to("space, jobs folder")
        await stage.press("enter")
        await until(stage, lambda: pages(stage) == ["alps", "check", "me"])
        mine = form(stage)
        await until(stage, lambda: mine.is_mounted and mine.form.path == ("jobs_remote_dir",))
        await until(stage, lambda: mine.form.has_focus_within)
        await stage.press("end", ".", "y")
        await save(stage)
        await back(stage)
        await sees(stage, OLD)
        await stage.press("r")
        await sees(stage, "as saved", "done at")
        assert cluster.is_attached and len(engine(stage).checked) == 2


@pytest.mark.usefixtures("on_return")
async def test_a_form_that_was_given_up_meanwhile_counts_no_more(home: Home) -> None:
    async with on_stage(home) as stage:
        engine(stage).findings = ALL
        await open_form(stage, None, "host")
        await stage.press("f8")
        await sees(stage, "alps as me  resource as typed, not saved", "done at")
        # From the profile's form, which covers the check, by way of the table to that of the resource.
        mine = await open_form(stage, "me", "jobs_remote_dir")
        await open_form(stage, None, "host")
        assert pages(stage) == ["check", "me", "alps"]
        await give_up(stage)
        await until(stage, lambda: stage.app.screen is mine)
        await give_up(stage)
        await at(stage, CheckPage)
        await sees(stage, OLD)
        await stage.press("r")
        await sees(stage, "alps as me  as saved", "done at")
        given = engine(stage).checked[1][0]
        assert isinstance(given, dict) and given["host"] == "cluster.invalid"


@pytest.mark.usefixtures("on_return")
async def test_what_was_typed_and_checked_and_is_saved_meanwhile_is_not_old(home: Home) -> None:
    # The file says it in other words than the model that it is read as.
    config = json.loads(resource_path(home.resources, "alps").read_text())["jobs_runner_config"]
    config["default_slurm_config"]["mem"] = "3G"
    write(home, None, jobs_runner_config=config, comment="without effect")
    async with on_stage(home) as stage:
        engine(stage).findings = ALL
        await open_form(stage, None, "host")
        await stage.press("f8")
        await sees(stage, "alps as me  resource as typed, not saved", "done at")
        mine = await open_form(stage, "me", "jobs_remote_dir")
        await open_form(stage, None, "tasks_local_dir")
        # Typed as it was before.
        await stage.press("backspace", "backspace")
        await save(stage)
        await stage.press("escape")
        await until(stage, lambda: stage.app.screen is mine)
        await give_up(stage)
        await at(stage, CheckPage)
        await sees(stage, "alps as me  as saved", "done at")
        assert OLD not in shown(stage) and not muted(stage)
