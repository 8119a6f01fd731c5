"""Keys stay where they were written; new ones stand where the schema has them."""

from __future__ import annotations

import json

from tui.forms.draft import Draft
from tui.forms.order import ordered_like
from tui.forms.spec import RESOURCE_SPEC


def test_new_keys_stand_behind_the_one_that_they_follow() -> None:
    ordered = ordered_like({"a": 1, "b": 2, "c": 3, "d": 4}, {"d": 0, "gone": 0, "b": 0})
    assert list(ordered) == ["a", "d", "b", "c"]
    assert list(ordered_like({"x": {"p": 1, "q": 2}}, {"x": {"q": 0, "p": 0}})["x"]) == ["q", "p"]
    assert ordered_like({"x": [1]}, {"x": {"q": 0}}) == {"x": [1]}


def test_an_edit_moves_no_key_of_what_another_program_has_written() -> None:
    runner = {"batching_config": {}, "default_slurm_config": {"mem": "1G", "partition": "main"}}
    written = {"id": 7, "name": "uzh", "jobs_runner_config": runner, "type": "slurm_sudo", "x": None}
    draft = Draft(RESOURCE_SPEC, written, saved=written)
    assert json.dumps(draft.document) == json.dumps(written)
    draft.type(("jobs_runner_config", "default_slurm_config", "cpus_per_task"), "4")
    draft.type(("name",), "ethz")
    default = {"mem": "1G", "partition": "main", "cpus_per_task": 4}
    changed = {**written, "name": "ethz", "jobs_runner_config": {**runner, "default_slurm_config": default}}
    assert json.dumps(draft.document) == json.dumps(changed)
    draft.undo()
    draft.undo()
    assert json.dumps(draft.document) == json.dumps(written)
    other = {"type": "slurm_sudo", "name": "uzh"}
    draft.replace(other)
    assert json.dumps(draft.document) == json.dumps(other)
