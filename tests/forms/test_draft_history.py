"""A draft over time: undo, reset, what is not saved yet, and another type."""

from __future__ import annotations

import pytest

from tests.forms.documents import EXPORTS, GPU, LINES, MEM, PIXI, cluster, here
from tui.forms.draft import MISSING, Draft
from tui.forms.spec import PROFILE_SPEC, RESOURCE_SPEC, Path


def test_typing_in_one_field_is_one_step(draft: Draft) -> None:
    for text in ("c", "cl", "clu"):
        draft.type(("name",), text)
    draft.type(("host",), "h")
    assert draft.undo() == ("host",)
    assert draft.undo() == ("name",)
    assert draft.document == cluster()
    assert draft.undo() is None
    assert draft.redo() == ("name",)
    assert draft.text(("name",)) == "clu"
    assert draft.redo() == ("host",)
    assert draft.redo() is None


def test_what_is_typed_after_leaving_a_field_is_a_step_of_its_own(draft: Draft) -> None:
    draft.type(("name",), "a")
    draft.settle()
    draft.type(("name",), "ab")
    draft.undo()
    assert draft.text(("name",)) == "a"
    draft.type(("name",), "ac")
    draft.undo()
    assert draft.text(("name",)) == "a"


def test_an_edit_that_changes_nothing_is_no_step(draft: Draft) -> None:
    before = draft.revision
    draft.type(("name",), "cluster")
    draft.put(("name",), "cluster")
    draft.clear((*GPU, "mem"))
    draft.reset()
    draft.reset(("name",))
    draft.replace(cluster())
    draft.fill(GPU)
    draft.move((*LINES, 0), -1)
    draft.rename((*EXPORTS, 0), "CACHE")
    assert draft.undo() is None
    assert draft.revision == before


def test_a_new_edit_forgets_what_was_taken_back(draft: Draft) -> None:
    draft.type(("name",), "a")
    draft.undo()
    draft.type(("name",), "b")
    assert draft.redo() is None


def test_a_document_that_is_typed_as_json_is_one_step(draft: Draft) -> None:
    draft.replace({"type": "local"}, typing=True)
    draft.replace({"type": "local", "name": "x"}, typing=True)
    draft.replace({"type": "local", "name": "y"})
    draft.undo()
    assert draft.document == {"type": "local", "name": "x"}
    draft.undo()
    assert draft.document == cluster()


@pytest.mark.parametrize("path", [("name",), MEM, LINES, (*LINES, 1), EXPORTS, (*EXPORTS, 1), GPU, ()])
def test_a_field_goes_back_to_what_was_saved(draft: Draft, path: Path) -> None:
    draft.replace({"type": "slurm_ssh", "jobs_runner_config": {"user_local_exports": {"MODELS": "other"}}})
    if path == (*EXPORTS, 1):
        path = (*EXPORTS, 0)
    elif path == (*LINES, 1):
        draft.type(draft.add(LINES), "one")
        draft.type(draft.add(LINES), "two")
    assert draft.changed(path)
    draft.reset(path)
    assert not draft.changed(path)
    draft.undo()
    assert draft.changed(path)


def test_what_was_not_saved_goes_with_a_reset(draft: Draft) -> None:
    draft.put((*GPU, "nodes"), 2)
    row = draft.add(EXPORTS)
    draft.reset((*GPU, "nodes"))
    draft.reset(row)
    assert draft.document == cluster()


def test_a_row_that_was_renamed_gets_its_name_back(draft: Draft) -> None:
    row = (*EXPORTS, 0)
    draft.rename(row, "OTHER")
    draft.type(row, "elsewhere")
    draft.reset(row)
    assert not draft.changed()
    assert draft.undo() == row and draft.key(row) == "OTHER" and draft.text(row) == "elsewhere"
    # What stands where a row stood that is still there is a new one.
    draft.rename(row, "CACHE")
    draft.type(row, "cache")
    draft.add(EXPORTS, 0)
    draft.reset(row)
    assert not draft.changed()


def test_a_new_document_has_no_changes_and_resets_to_its_start() -> None:
    draft = Draft(RESOURCE_SPEC, here())
    draft.type(("name",), "x")
    assert not draft.changed() and not draft.changed(("name",))
    draft.reset()
    assert draft.document == here()
    draft.type(("name",), "x")
    draft.mark_saved(draft.document)
    draft.type(("name",), "xy")
    assert draft.changed(("name",)) and not draft.changed(PIXI)


def test_what_is_typed_while_it_is_saved_stays_a_change(draft: Draft) -> None:
    draft.type(("name",), "a")
    handed_over = draft.document
    draft.type(("host",), "b")
    draft.mark_saved(handed_over)
    assert draft.changed(("host",)) and not draft.changed(("name",))
    draft.reset()
    assert draft.text(("name",)) == "a" and draft.text(("host",)) == "login.example.org"


# Types


def test_another_type_keeps_what_both_have_and_a_change_of_mind_loses_nothing(draft: Draft) -> None:
    draft.put(("type",), "local")
    assert draft.document["tasks_local_dir"] == "/data/tasks"
    assert draft.document["jobs_runner_config"] == {}
    assert "host" not in draft.document
    assert draft.errors == {}
    draft.type(("jobs_runner_config", "parallel_tasks_per_job"), "3")
    draft.type(("name",), "renamed")
    draft.put(("type",), "slurm_ssh")
    assert draft.document == cluster() | {"name": "renamed"}
    draft.put(("type",), "local")
    assert draft.document["jobs_runner_config"] == {"parallel_tasks_per_job": 3}
    while draft.undo() is not None:
        pass
    assert draft.document == cluster()


def test_what_was_cleared_in_between_does_not_come_back() -> None:
    draft = Draft(RESOURCE_SPEC, cluster() | {"jobs_poll_interval": 9})
    draft.put(("type",), "local")
    draft.clear(("jobs_poll_interval",))
    draft.put(("type",), "slurm_ssh")
    assert not draft.given(("jobs_poll_interval",))
    assert draft.text(("host",)) == "login.example.org"


def test_the_null_of_one_type_is_missing_in_another() -> None:
    draft = Draft(PROFILE_SPEC, {"resource_type": "local", "name": "p", "username": None, "extra": 1})
    draft.put(("resource_type",), "slurm_sudo")
    assert draft.errors == {("username",): "is missing"}
    assert draft.document == {"resource_type": "slurm_sudo", "name": "p", "extra": 1}


def test_what_was_saved_in_a_field_is_known(draft: Draft) -> None:
    draft.add(EXPORTS, 0)
    draft.type((*EXPORTS, 1), "other")
    assert draft.saved((*EXPORTS, 1)) == "cache"
    assert draft.saved((*EXPORTS, 0)) is MISSING
    assert draft.saved(EXPORTS) == {"CACHE": "cache", "MODELS": "models"}
