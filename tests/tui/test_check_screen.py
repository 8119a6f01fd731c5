"""The check screen: findings that arrive one by one, and what can be done about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from runners.config.home import Home
from runners.config.places import resource_path
from runners.findings import REST, Finding, FindingState
from runners.sample import Sample
from tests.tui import check_story, stores
from tests.tui.check_story import (
    ALL,
    CLUSTER,
    FAILURE,
    HOSTILE,
    LIMITS,
    OK,
    PARTITION,
    SPACE,
    SUDO,
    WAY,
    WORDY,
    fine,
)
from tests.tui.stage import Logs, Stage, at, make_home, on_stage, sees, shown, until
from tui.dashboard import Dashboard
from tui.messages import OpenCheck, OpenField
from tui.screens.check import CheckPage
from tui.screens.choose import Choose
from tui.screens.edit import EditPage
from tui.screens.evidence import Evidence
from tui.screens.runs import RunsPage
from tui.widgets.virtual_table import VirtualTable

WIDE = (160, 45)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home", stores.typical)
    check_story.add_alps(home)
    return home


def engine(stage: Stage) -> Logs:
    assert isinstance(stage.app, Dashboard) and isinstance(stage.app.client, Logs)
    return stage.app.client


def table(stage: Stage) -> VirtualTable:
    return stage.app.screen.query_one("#check-table", VirtualTable)


async def checked(stage: Stage, *findings: Finding, **others: object) -> None:
    """Check `alps`, and see all findings."""
    engine(stage).findings = list(findings)
    stage.app.post_message(OpenCheck("alps", **others))  # type: ignore[arg-type]
    await at(stage, CheckPage)
    await sees(stage, "done at 14:13")


async def test_findings_arrive_one_by_one_and_the_cursor_stays(home: Home) -> None:
    async with on_stage(home) as stage:
        engine(stage).checking = True
        stage.app.post_message(OpenCheck("alps"))
        await sees(stage, "Check  0  running…", "asking the cluster…", "alps as me  as saved")
        engine(stage).findings += WAY[:3]
        await sees(stage, "Check  3  running…", "✓ ok      alps.example resolves", "✓ 3")
        await stage.press("down")
        assert table(stage).cursor_key == "port"
        engine(stage).findings += [*WAY[3:], *CLUSTER]
        await sees(stage, "Check  17  running…")
        assert table(stage).cursor_key == "port"
        await sees(stage, "✓ port  Port 22 answers", "✗ 1  ! 1  ? 2  ✓ 13")
        engine(stage).checking = False
        await sees(stage, "Check  17  done at 14:13")
        assert table(stage).cursor_key == "port"
        (document, acting, sample) = engine(stage).checked[0]
        assert isinstance(document, dict) and document["host"] == "cluster.invalid"
        assert isinstance(acting, dict) and acting["username"] == "mira"
        assert sample == Sample()


async def test_a_finding_is_told_with_what_to_do_and_what_was_answered(home: Home) -> None:
    async with on_stage(home, size=WIDE) as stage:
        await checked(stage, *ALL, SUDO)
        await sees(stage, "✗ 2 failures  ! 1 warning  ? 2 could not be told  ✓ 13 ok", "100 tasks")
        await stage.press("home", "n")
        assert table(stage).cursor_key == "space, jobs folder"
        await stage.press("n", "n")
        await sees(stage, "field jobs_runner_config.default_slurm_config.partition of the resource")
        await sees(stage, "PartitionName=short AllowGroups=ALL", "main, gpu, short")
        await stage.press("e")
        await at(stage, Evidence)
        await sees(stage, "what to do", "asked and answered", "$ scontrol --oneliner show partition")
        await stage.press("escape")
        await at(stage, CheckPage)
        await stage.press("y")
        await sees(stage, "What to do is on the clipboard.")
        assert stage.app.clipboard == "main, gpu, short"
        await stage.press("n", "n", "y")
        assert stage.app.clipboard == "runyard ALL=(mira) NOPASSWD: /usr/bin/scancel"
        # What was not looked at says what is to be mended.
        await stage.press("up", "y")
        assert table(stage).cursor_key == REST
        assert stage.app.clipboard == "Do what there is to do about partition, and check again."
        await stage.press("home", "y")
        await sees(stage, "There is nothing to do about this finding.")
        # After the last comes the first again.
        await stage.press("end", "n")
        assert table(stage).cursor_key == "space, jobs folder"


async def test_what_connects_can_be_pasted_and_has_a_key_here(home: Home) -> None:
    fix = "Connect to the resource, answer, and check again: runyard resource connect NAME"
    async with on_stage(home, size=WIDE) as stage:
        await checked(stage, Finding("login", FindingState.UNTOLD, "The host asks for a code.", fix))
        await sees(stage, "Connect to the resource (c in the list of resources), answer, and check again:")
        await stage.press("y")
        await sees(stage, "What to do is on the clipboard.")
        assert stage.app.clipboard == "runyard resource connect alps"


async def test_what_has_no_room_is_marked_and_e_shows_it(home: Home) -> None:
    async with on_stage(home) as stage:
        await checked(stage, *WAY, WORDY)
        # What to do comes before what was answered, and says that it goes on.
        await sees(stage, " e shows all ", "before:␊runyard ALL=(mira) NOPASSWD: ", "…\n esc back")
        assert "/opt/slurm" not in shown(stage)
        await stage.press("e")
        await at(stage, Evidence)
        await sees(stage, "/opt/slurm/the-last-one", "so that no job of this profile can be")
        await stage.press("e", "home")
        await sees(stage, "✓ name")
        assert "e shows all" not in shown(stage)
    async with on_stage(home, size=WIDE) as stage:
        await checked(stage, *WAY, WORDY)
        await sees(stage, "/opt/slurm/the-last-one", "NOPASSWD: /usr/bin/sbatch")
        assert "e shows all" not in shown(stage)


async def test_the_cursor_goes_to_the_failure_unless_it_was_moved(home: Home) -> None:
    async with on_stage(home) as stage:
        client = engine(stage)
        client.findings, client.checking = [*WAY, SPACE, *(fine(f"fact {n}", "") for n in range(20))], True
        stage.app.post_message(OpenCheck("alps"))
        await sees(stage, "Check  28  running…")
        assert table(stage).cursor_key == "name"
        client.findings += [PARTITION, fine("more", "")]
        await sees(stage, "Check  30  running…", "✗ failure", "fix")
        assert table(stage).cursor_key == "partition"
        client.findings.append(SUDO)
        await sees(stage, "Check  31")
        assert table(stage).cursor_key == "partition"
        await stage.press("home")
        client.checking = False
        await sees(stage, "done at")
        assert table(stage).cursor_key == "name"
        # Who went away and came back has been there.
        client.checking = True
        await stage.press("r")
        await sees(stage, "Check  31  running…", "✗ 2")
        assert table(stage).cursor_key == "name"


async def test_without_a_failure_the_cursor_ends_at_the_first_problem(home: Home) -> None:
    async with on_stage(home) as stage:
        await checked(stage, *WAY, SPACE, LIMITS)
        assert table(stage).cursor_key == "space, jobs folder"
        # Mended, it is where it was; what is wrong now comes after it.
        engine(stage).findings = [*WAY, fine("space, jobs folder", ""), fine("x", ""), PARTITION]
        await stage.press("r")
        await sees(stage, "Check  10  done at")
        assert table(stage).cursor_key == "partition"
        await stage.press("escape")
        await checked(stage, *WAY)
        assert table(stage).cursor_key == "name"


async def test_only_problems_or_what_a_filter_fits(home: Home) -> None:
    async with on_stage(home) as stage:
        await checked(stage, *ALL)
        await stage.press("f")
        await sees(stage, "Check  4 of 17  done at 14:13  problems only")
        await stage.press("slash", *"state:failure", "enter")
        await sees(stage, "Check  1 of 17", "✗ failure")
        stage.app.screen.query_one(Input).value = "state:failed"
        await sees(stage, "There is no state 'failed': there are ok, warning, failure, untold.")
        await stage.press("escape")
        await sees(stage, "4 of 17")
        await stage.press("escape")
        await sees(stage, "Check  17  done at 14:13")
        await stage.press("escape")
        await at(stage, RunsPage)


async def test_where_nothing_is_wrong_it_says_so(home: Home) -> None:
    async with on_stage(home) as stage:
        engine(stage).checking = True
        engine(stage).findings = WAY[:2]
        stage.app.post_message(OpenCheck("alps"))
        await sees(stage, "Check  2  running…")
        await stage.press("f")
        await sees(stage, "Nothing is wrong so far.")
        engine(stage).findings += WAY[2:]
        engine(stage).checking = False
        await sees(stage, "Everything that could be looked at is fine, in 7 checks.")


async def test_checking_again_leaves_every_row_in_its_place(home: Home) -> None:
    async with on_stage(home) as stage:
        await checked(stage, *ALL)
        table(stage).move_to("partition")
        client = engine(stage)
        path = resource_path(home.resources, "alps")
        path.write_text(json.dumps({**json.loads(path.read_text()), "host": "other.invalid"}))
        client.findings, client.checking = [], True
        await stage.press("r")
        await sees(stage, "Check  17  running…")
        assert table(stage).cursor_key == "partition"
        client.findings += WAY
        await sees(stage, "✓ 7")
        client.findings += [fine("partition", "main is up."), fine("time", "It is short enough.")]
        client.checking = False
        await sees(stage, "Check  9  done at", "✓ partition  main is up.", "✓ 9")
        assert table(stage).cursor_key == "partition"
        (document, _, _) = client.checked[-1]
        assert isinstance(document, dict) and document["host"] == "other.invalid"


async def test_whoever_leaves_gives_the_check_up(home: Home) -> None:
    async with on_stage(home) as stage:
        engine(stage).checking = True
        stage.app.post_message(OpenCheck("alps"))
        await sees(stage, "asking the cluster…")
        await until(stage, lambda: len(engine(stage).checked) == 1)
        await stage.press("r")
        await until(stage, lambda: engine(stage).left == 1 and len(engine(stage).checked) == 2)
        await stage.press("escape")
        await at(stage, RunsPage)
        await until(stage, lambda: engine(stage).left == 2)


async def test_enter_leads_to_the_field_at_fault(home: Home) -> None:
    async with on_stage(home) as stage:
        await checked(stage, *ALL)
        # Where all is fine there is nothing to mend: what it was told by is shown.
        await stage.press("home", "enter")
        await at(stage, Evidence)
        await stage.press("escape")
        table(stage).move_to(REST)
        await stage.press("enter")
        await sees(stage, "This finding blames no field of the configuration")
        table(stage).move_to("partition")
        await sees(stage, "enter to field", "r again  n next  y copy fix  e evidence  f problems")
        await stage.press("enter")
        await at(stage, EditPage)
        page = stage.app.screen
        assert isinstance(page, EditPage)
        assert (page.subject.resource, page.subject.profile) == ("alps", None)


async def test_a_field_of_the_profile_is_one_of_the_profile_that_was_checked(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[OpenField] = []
    monkeypatch.setattr(Dashboard, "on_open_field", lambda app, message: asked.append(message))
    async with on_stage(home) as stage:
        await checked(stage, *ALL)
        table(stage).move_to("space, jobs folder")
        await stage.press("enter")
        await until(stage, lambda: bool(asked))
        assert (asked[0].resource, asked[0].profile, asked[0].field) == ("alps", "me", "jobs_remote_dir")


async def test_one_of_several_profiles_is_chosen(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", stores.typical)
    check_story.add_alps(home, "you")
    async with on_stage(home) as stage:
        stage.app.post_message(OpenCheck("alps"))
        await at(stage, Choose)
        await stage.press("escape")
        await sees(stage, "Several profiles could be meant: p chooses one.", "  p profile")
        await stage.press("p")
        await at(stage, Choose)
        engine(stage).findings = list(WAY)
        stage.app.screen.query_one(OptionList).highlighted = 1
        await stage.press("enter")
        await sees(stage, "alps as you  as saved", "done at")
        await stage.press("p")
        await at(stage, Choose)
        stage.app.screen.query_one(OptionList).highlighted = 0
        await stage.press("enter")
        await sees(stage, "alps as me  as saved", "done at")
        assert [acting["username"] for _, acting, _ in engine(stage).checked if isinstance(acting, dict)] == [
            "you",
            "mira",
        ]


async def test_what_keeps_it_from_checking_is_said(home: Home) -> None:
    path = resource_path(home.resources, "alps")
    async with on_stage(home, no_engine="The engine can't use '/x': Disk quota exceeded.") as stage:
        stage.app.post_message(OpenCheck("alps"))
        await sees(
            stage, "not finished", "The engine can't use '/x': Disk quota exceeded.", "r tries it again."
        )
        path.write_text("{")
        await stage.press("r")
        await sees(stage, "this is not valid JSON")
        path.unlink()
        await stage.press("r")
        await sees(stage, "There is no resource named alps")
        await stage.press("enter", "e", "y", "n", "f", "p", "slash", "escape", "escape", "escape")
        await at(stage, RunsPage)


async def test_a_check_that_breaks_off_keeps_what_it_has_found(home: Home) -> None:
    async with on_stage(home) as stage:
        client = engine(stage)
        client.findings, client.check_trouble = list(WAY), "The engine has ended in the middle of the check."
        stage.app.post_message(OpenCheck("alps"))
        await sees(stage, "Check  7  not finished", "! The engine has ended in the middle of the check.")
        await sees(stage, "✓ name  alps.example")
        client.check_trouble = ""
        await stage.press("r")
        await sees(stage, "Check  7  done at")
        assert "ended in the middle" not in shown(stage)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (200, 60)])
async def test_every_size_shows_check_and_state_and_hostile_text_does_nothing(
    home: Home, size: tuple[int, int]
) -> None:
    async with on_stage(home, size=size) as stage:
        await checked(stage, HOSTILE, LIMITS, HOSTILE)
        await sees(stage, "[bold]motd[/]␛[2J", "! warning")
        await stage.press("e")
        await at(stage, Evidence)
        await stage.press(*["pagedown"] * 4)
        await sees(stage, "line two\ufffd")
        assert "\x1b" not in shown(stage) and "\u202e" not in shown(stage)
        await stage.press("escape", "slash", *"[/]", "enter")
        await sees(stage, "2 of 3")


async def test_what_needs_no_fix_has_its_room(home: Home) -> None:
    long = "There is much to be told of a folder that is as it has to be, with its path and its file system"
    findings = (fine("jobs folder", f"{long}."), Finding("python", FAILURE, f"{long}!", "Install it."))
    async with on_stage(home, size=WIDE) as stage:
        await checked(stage, *findings)
        (first,) = (line for line in shown(stage).splitlines() if "jobs folder" in line)
        assert f"{long}." in first
        # Beside a fix it is cut, as it is where the table has no room for any.
        (second,) = (line for line in shown(stage).splitlines() if "python" in line and "failure" in line)
        assert "Install it." in second and "with its" not in second
    async with on_stage(home, size=(80, 24)) as stage:
        await checked(stage, *findings)
        await sees(stage, "There is much to be told of a folder")
        (first,) = (line for line in shown(stage).splitlines() if "jobs folder" in line)
        assert "with its" not in first


async def test_this_machine_is_checked_from_a_read_only_dashboard(home: Home) -> None:
    async with on_stage(home, read_only=True) as stage:
        engine(stage).findings = [fine("jobs folder", "It may be written to.")]
        stage.app.post_message(OpenCheck("local"))
        await sees(stage, "local  as saved", "It may be written to.", "done at")
        assert engine(stage).checked[0][1] is None
        await stage.press("question_mark")
        await sees(stage, "Help: Check", "Go to the field that is at fault")


async def test_findings_of_one_name_are_all_kept(home: Home) -> None:
    async with on_stage(home) as stage:
        await checked(stage, Finding("x", OK, "one"), Finding("x", FAILURE, "two"), PARTITION)
        await sees(stage, "Check  3", "one", "two")
