"""What was typed and not saved, when it is gone on with: what was changed elsewhere meanwhile is kept."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runners.config.errors import ConfigError
from runners.config.home import Home
from tests.clusters import add_cluster
from tests.tui.drafting import keep_draft, kept_draft, typing
from tests.tui.stage import make_home, on_stage, sees, until
from tests.tui.test_edit_screen import file_of, opened, put, saved, saves
from tui.drafts import DraftFile, drop_drafts, left_drafts, refuse_typed
from tui.renaming import remove_document, rename_document
from tui.screens.edit import EditPage
from tui.subject import Subject, open_subject


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home", None)
    add_cluster(home, "uzh", "slurm_ssh", host="login.uzh.example")
    return home


def subject_of(home: Home) -> Subject:
    return open_subject(home, "uzh", None)


def typed(home: Home, text: str = "", **changes: object) -> None:
    """Leave this behind in a form of the file as it is now."""
    keep_draft(home, subject_of(home), saved(home) | changes, text)


def change(home: Home, **changes: object) -> dict[str, Any]:
    """Change the file elsewhere."""
    theirs = saved(home) | changes
    file_of(home).write_text(json.dumps(theirs))
    return theirs


def test_what_was_typed_comes_back_as_it_was(home: Home) -> None:
    typed(home, host="mine.example")
    kept = kept_draft(home, subject_of(home))
    assert kept is not None and kept.document == saved(home) | {"host": "mine.example"}
    assert (kept.text, kept.elsewhere) == ("", False)


def test_what_was_changed_elsewhere_since_is_joined_with_it(home: Home) -> None:
    typed(home, host="mine.example", jobs_local_dir="/mine")
    theirs = change(home, jobs_poll_interval=30, jobs_local_dir="/theirs")
    kept = kept_draft(home, subject_of(home))
    assert kept is not None and kept.elsewhere
    assert kept.document == theirs | {"host": "mine.example", "jobs_local_dir": "/mine"}


def test_what_was_saved_elsewhere_just_as_it_was_typed_need_not_be_gone_on_with(home: Home) -> None:
    typed(home, host="mine.example")
    change(home, host="mine.example", jobs_poll_interval=30)
    assert kept_draft(home, subject_of(home)) is None


@pytest.mark.parametrize("content", [b"{", b""])
def test_with_a_file_that_is_no_json_by_now_nothing_is_joined(home: Home, content: bytes) -> None:
    typed(home, host="mine.example")
    document = saved(home)
    file_of(home).write_bytes(content)
    kept = kept_draft(home, subject_of(home))
    assert kept is not None and kept.document == document | {"host": "mine.example"}


def test_what_was_begun_anew_is_joined_with_nothing(home: Home) -> None:
    keep_draft(home, Subject("new", None, {"type": "local"}), {"type": "local", "name": "new"})
    kept = kept_draft(home, Subject("new", None, {}))
    assert kept is not None and kept.document == {"type": "local", "name": "new"}


async def test_a_colleagues_change_survives_a_draft_that_was_left_behind(home: Home) -> None:
    typed(home, host="mine.example", jobs_local_dir="/mine")
    theirs = change(home, jobs_poll_interval=30, jobs_local_dir="/theirs")
    async with on_stage(home) as stage:
        page = await opened(stage)
        await sees(stage, "is back, joined", "see F7.")
        assert page.draft.text(("jobs_poll_interval",)) == "30"
        await saves(stage)
        await until(
            stage, lambda: saved(home) == theirs | {"host": "mine.example", "jobs_local_dir": "/mine"}
        )


def test_what_is_typed_in_two_dashboards_is_found_again_of_both(home: Home) -> None:
    subject = subject_of(home)
    with typing(home, subject, saved(home) | {"host": "first.example"}):
        # Who opens it too begins with the file: what is typed there is not theirs.
        with typing(home, subject, saved(home) | {"host": "second.example"}) as second:
            assert (second.kept, second.elsewhere) == (None, True)
        assert [draft.key for draft in left_drafts(home)] == ["uzh"]
        with pytest.raises(ConfigError, match="Something was typed for uzh in a form and not saved"):
            refuse_typed(home, "uzh", None)
    found = []
    for _ in range(2):
        file = DraftFile(home, subject)
        file.open()
        assert file.kept is not None and not file.elsewhere
        found.append(file.kept.document)
        asyncio.run(file.give_up())
    assert found == [saved(home) | {"host": f"{which}.example"} for which in ("second", "first")]
    assert left_drafts(home) == ()


def test_what_a_form_was_opened_before_is_not_written_over(home: Home) -> None:
    subject = subject_of(home)
    early = DraftFile(home, subject)
    early.open()
    typed(home, host="first.example")
    early.keep(subject, saved(home) | {"host": "second.example"})
    early.let_go()
    assert len(list(home.state.glob("drafts*/uzh/resource.json"))) == 2


def test_a_form_in_which_nothing_is_typed_leaves_the_draft_of_another_alone(home: Home) -> None:
    subject = subject_of(home)
    with typing(home, subject, saved(home) | {"host": "mine.example"}):
        idle = DraftFile(home, subject)
        idle.open()
        asyncio.run(idle.give_up())
        kept = kept_draft(home, subject)
        assert kept is None and [draft.key for draft in left_drafts(home)] == ["uzh"]
    kept = kept_draft(home, subject)
    assert kept is not None and kept.document == saved(home) | {"host": "mine.example"}


def test_what_is_typed_in_another_dashboard_stays_where_its_resource_goes(home: Home) -> None:
    subject = subject_of(home)
    with typing(home, subject, saved(home) | {"host": "mine.example"}):
        rename_document(home, "uzh", None, "zurich")
        assert [draft.key for draft in left_drafts(home)] == ["uzh"]
        remove_document(home, "zurich", None)
        with pytest.raises(ConfigError, match="uzh is open in another dashboard, with changes"):
            drop_drafts(home, "uzh", None)
        assert [draft.key for draft in left_drafts(home)] == ["uzh"]
    drop_drafts(home, "uzh", None)
    assert left_drafts(home) == ()


def test_the_draft_of_a_dashboard_that_was_killed_is_taken_over(home: Home) -> None:
    code = (
        "import os, sys\n"
        "from runners.config.home import Home\n"
        "from tui.drafts import DraftFile\n"
        "from tui.subject import open_subject\n"
        "home = Home.from_environment()\n"
        "subject = open_subject(home, 'uzh', None)\n"
        "file = DraftFile(home, subject)\n"
        "file.open()\n"
        "file.keep(subject, {**subject.document, 'host': 'mine.example'})\n"
        "print('kept', flush=True)\n"
        "sys.stdin.read()\n"
    )
    environment = {**os.environ, "RUNYARD_HOME": str(home.state.parent)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as dashboard:
        assert dashboard.stdout is not None and dashboard.stdout.readline() == b"kept\n"
        file = DraftFile(home, subject_of(home))
        file.open()
        assert (file.kept, file.elsewhere) == (None, True)
        dashboard.kill()
    file = DraftFile(home, subject_of(home))
    file.open()
    assert file.kept is not None and file.kept.document == saved(home) | {"host": "mine.example"}
    assert not file.elsewhere
    file.let_go()


async def test_a_form_says_that_it_is_open_and_changed_elsewhere(home: Home) -> None:
    before = saved(home)
    with typing(home, subject_of(home), before | {"host": "theirs.example"}):
        async with on_stage(home) as stage:
            page = await opened(stage)
            await sees(stage, "Resource uzh is open", "another dashboard", "saved there.")
            assert page.draft.text(("host",)) == before["host"]
            # Nothing was typed here, so nothing is dropped.
            await stage.press("escape")
            await until(stage, lambda: not isinstance(stage.app.screen, EditPage))
            assert [draft.key for draft in left_drafts(home)] == ["uzh"]
            page = await opened(stage)
            await put(stage, page, ("jobs_local_dir",), "/mine")
            await saves(stage)
            await until(stage, lambda: saved(home) == before | {"jobs_local_dir": "/mine"})
    kept = kept_draft(home, subject_of(home))
    assert kept is not None and kept.elsewhere
    assert kept.document == before | {"jobs_local_dir": "/mine", "host": "theirs.example"}
