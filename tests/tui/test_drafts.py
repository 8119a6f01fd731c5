"""What was typed and not saved, when it is gone on with: what was changed elsewhere meanwhile is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runners.config.home import Home
from tests.clusters import add_cluster
from tests.tui.stage import make_home, on_stage, sees, until
from tests.tui.test_edit_screen import file_of, opened, saved, saves
from tui.drafts import keep_draft, kept_draft
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
