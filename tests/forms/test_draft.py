"""A draft: states of a field, edits, errors, names and echoes."""

from __future__ import annotations

import json

import pytest

from runners.config.slurm import SlurmRunnerConfig
from tests.forms.documents import EXPORTS, GPU, LINES, MEM, PIXI, SET, VERSIONS, cluster, here
from tui.forms.draft import MISSING, Draft
from tui.forms.spec import RESOURCE_SPEC, Kind, Path


def test_a_saved_resource_has_no_errors_and_no_changes(draft: Draft) -> None:
    assert draft.errors == {}
    assert draft.model is not None
    assert not draft.changed()
    assert json.dumps(draft.document) == json.dumps(cluster())


def test_not_given_none_and_given_are_three_things(draft: Draft) -> None:
    path = (*GPU, "use_mem_per_cpu")
    partition = (*GPU, "partition")
    assert not draft.given(path)
    draft.put(path, False)
    draft.nothing(partition)
    assert draft.given(path) and draft.raw(path) is False
    assert draft.given(partition) and draft.is_none(partition) and draft.text(partition) == ""
    model = draft.model
    assert model is not None
    gpu = model.model_dump(exclude_unset=True)["jobs_runner_config"]["gpu_slurm_config"]
    assert gpu == {"partition": None, "gres": "gpu:1", "use_mem_per_cpu": False}
    draft.clear(path)
    draft.type(partition, "")
    assert draft.raw(path) is MISSING and draft.raw(partition) is MISSING
    assert not draft.given(partition) and not draft.is_none(partition)


def test_an_empty_list_is_given_until_it_is_cleared(draft: Draft) -> None:
    lines = (*GPU, "extra_lines")
    draft.remove(draft.add(lines))
    assert draft.given(lines) and draft.raw(lines) == []
    draft.clear(lines)
    assert not draft.given(lines)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        ("-3", -3),
        (" +7 ", 7),
        ("007", 7),
        ("4.0", "4.0"),
        ("x", "x"),
        ("٣", "٣"),
        ("9" * 30, "9" * 30),
    ],
)
def test_whole_numbers_become_numbers(draft: Draft, text: str, value: object) -> None:
    path = (*SET, "nodes")
    draft.type(path, text)
    assert draft.raw(path) == value and type(draft.raw(path)) is type(value)
    # As it was typed, so that no cursor jumps; afterwards as it is.
    assert draft.text(path) == text
    draft.settle()
    assert draft.text(path) == str(value)


def test_memory_stays_as_it_was_typed(draft: Draft) -> None:
    draft.type(MEM, "3G")
    assert draft.document["jobs_runner_config"]["default_slurm_config"]["mem"] == "3G"
    draft.type(MEM, "3000")
    assert draft.raw(MEM) == "3000"


def test_typed_back_to_what_was_saved_is_no_change(draft: Draft) -> None:
    path = ("jobs_runner_config", "batching_config", "target_mem_per_job")
    draft.type(path, "3200")
    assert draft.changed(path)
    draft.type(path, "32000")
    assert not draft.changed()


def test_a_value_that_no_field_can_hold_is_shown_as_json_and_told_at_its_field() -> None:
    draft = Draft(RESOURCE_SPEC, cluster() | {"name": {"a": [1]}, "host": True})
    assert draft.text(("name",)) == '{"a": [1]}'
    assert draft.text(("host",)) == "true"
    assert draft.errors == {("name",): "must be text", ("host",): "must be text"}


def test_a_group_that_is_something_else_becomes_a_group_when_it_is_edited() -> None:
    draft = Draft(RESOURCE_SPEC, cluster() | {"jobs_runner_config": [1]})
    assert draft.errors == {("jobs_runner_config",): "must be an object (names with values)"}
    draft.type(MEM, "3G")
    assert draft.document["jobs_runner_config"] == {"default_slurm_config": {"mem": "3G"}}
    draft.undo()
    assert draft.document["jobs_runner_config"] == [1]


@pytest.mark.parametrize("document", [None, [], "x", 4, [{"type": "local"}]])
def test_a_document_that_is_no_object(document: object) -> None:
    draft = Draft(RESOURCE_SPEC, document)
    assert draft.errors == {(): "must be an object (names with values)"}
    assert [found.name for found in draft.fields()] == ["type"]
    draft.put(("type",), "local")
    assert draft.document == {"type": "local"}


@pytest.mark.parametrize("kind", [MISSING, None, "", "slurm", ["local"]])
def test_a_wrong_type_is_the_only_error(kind: object) -> None:
    document = {"name": 3} if kind is MISSING else {"type": kind, "name": 3}
    draft = Draft(RESOURCE_SPEC, document)
    assert draft.errors == {("type",): "must be one of local, slurm_sudo, slurm_ssh"}
    assert draft.unknown == ()


# Optional groups


def test_an_optional_group_is_none_filled_or_not_given(draft: Draft) -> None:
    draft.clear(GPU)
    assert not draft.given(GPU) and not draft.present(GPU)
    draft.nothing(GPU)
    assert draft.is_none(GPU) and draft.raw(GPU) is None and not draft.present(GPU)
    draft.fill(GPU)
    assert draft.present(GPU) and draft.raw(GPU) == {}
    draft.type((*GPU, "gres"), "gpu:2")
    draft.fill(GPU)
    assert draft.raw(GPU) == {"gres": "gpu:2"}


def test_a_group_whose_none_is_an_empty_object_can_be_opened() -> None:
    draft = Draft(RESOURCE_SPEC, here(), saved=here())
    assert draft.is_none(PIXI) and draft.errors == {}
    draft.fill(PIXI)
    assert draft.present(PIXI)
    assert draft.errors == {
        (*PIXI, "default_version"): "is missing",
        (*PIXI, "versions"): "is missing",
    }
    draft.type((*PIXI, "default_version"), "1")
    draft.type((*PIXI, "default_version"), "")
    # Emptied while it is edited, it stays open.
    assert draft.present(PIXI) and draft.errors
    draft.nothing(PIXI)
    assert draft.is_none(PIXI) and draft.errors == {} and draft.raw(PIXI) == {}
    assert not draft.changed()
    draft.undo()
    assert draft.present(PIXI)


# Lists and maps


def test_items_are_added_moved_and_removed(draft: Draft) -> None:
    assert draft.add(LINES, 1) == (*LINES, 1)
    draft.type((*LINES, 1), "ulimit -n 9")
    assert draft.move((*LINES, 1), 5) == (*LINES, 3)
    assert draft.move((*LINES, 3), -2) == (*LINES, 1)
    draft.remove((*LINES, 0))
    assert draft.raw(LINES) == ["ulimit -n 9", "module load b", "module load c"]
    assert draft.size(LINES) == 3


def test_a_new_item_is_an_error_until_it_holds_something(draft: Draft) -> None:
    item = draft.add(LINES)
    assert draft.errors == {item: "must not be empty"}
    draft.type(item, "#SBATCH -A x")
    assert draft.errors == {item: "must not set the account; use the field account"}
    draft.type(item, "")
    assert draft.raw(LINES) == ["module load a", "module load b", "module load c", ""]


def test_rows_keep_their_order_and_their_keys_while_they_are_typed(draft: Draft) -> None:
    row = draft.add(EXPORTS, 0)
    draft.type(row, "other")
    assert draft.errors == {row: "needs a name"}
    draft.rename(row, "CACHE")
    assert draft.errors == {(*EXPORTS, 1): "has the name of another row"}
    assert draft.size(EXPORTS) == 3
    draft.rename(row, "CACHE2")
    assert draft.errors == {}
    assert list(draft.raw(EXPORTS).items()) == [  # type: ignore[attr-defined]
        ("CACHE2", "other"),
        ("CACHE", "cache"),
        ("MODELS", "models"),
    ]
    assert draft.move(row, 1) == (*EXPORTS, 1)
    assert [draft.key((*EXPORTS, index)) for index in range(3)] == ["CACHE", "CACHE2", "MODELS"]


def test_faults_of_a_key_stand_at_its_row(draft: Draft) -> None:
    draft.rename((*VERSIONS, 0), "2.7")
    draft.rename((*EXPORTS, 1), "1x")
    draft.type((*EXPORTS, 0), "/abs")
    assert draft.errors == {
        (*VERSIONS, 0): "is not a Python version from 3.9 to 3.15",
        (*EXPORTS, 0): 'must be a relative path without ".."',
        (*EXPORTS, 1): "is not a variable's name: letters, digits and _, not a digit first",
    }


def test_only_the_row_that_differs_counts_as_changed(draft: Draft) -> None:
    draft.add(EXPORTS, 0)
    assert draft.changed((*EXPORTS, 0)) and draft.changed(EXPORTS) and draft.changed()
    assert not draft.changed((*EXPORTS, 1)) and not draft.changed((*EXPORTS, 2))
    draft.remove((*EXPORTS, 0))
    assert not draft.changed()


def test_the_order_of_rows_is_a_change_that_of_keys_is_none(draft: Draft) -> None:
    draft.replace(dict(reversed(cluster().items())))
    assert not draft.changed()
    draft.move((*EXPORTS, 0), 1)
    assert draft.changed(EXPORTS)


def test_one_is_not_true(draft: Draft) -> None:
    saved = cluster() | {"prevent_new_submissions": True}
    draft = Draft(RESOURCE_SPEC, saved | {"prevent_new_submissions": 1}, saved=saved)
    assert draft.changed(("prevent_new_submissions",))


@pytest.mark.parametrize("path", [(*LINES, 3), (*LINES, -1), LINES, ("name",), ()])
def test_only_items_that_are_there_can_be_removed(draft: Draft, path: Path) -> None:
    with pytest.raises(KeyError):
        draft.remove(path)


# Keys that the schema does not know


def test_unknown_keys_are_kept_where_they_were_and_told() -> None:
    document = {"comment": "x", **cluster()}
    document["tasks_python_config"] |= {"old": 1}
    draft = Draft(RESOURCE_SPEC, document)
    draft.type(("name",), "other")
    assert next(iter(draft.document)) == "comment"
    assert draft.document["tasks_python_config"]["old"] == 1
    assert set(draft.unknown) == {"comment", "tasks_python_config.old"}
    assert draft.errors == {}


def test_unknown_keys_can_be_removed_and_come_back_with_undo() -> None:
    document = {"comment": "x", **cluster()}
    document["tasks_python_config"] |= {"old": {"a": 1}}
    draft = Draft(RESOURCE_SPEC, document, saved=document)
    old = ("tasks_python_config", "old")
    assert draft.strangers() == [("comment",)] and draft.strangers(old[:1]) == [old]
    assert draft.spec(old).kind is Kind.STRANGER and draft.text(old) == '{"a": 1}'
    assert draft.path_of("tasks_python_config.old.a") == old and draft.dotted(old) == ".".join(old)
    draft.clear(old)
    draft.clear(("comment",))
    assert draft.document == cluster() and draft.unknown == ()
    assert draft.changed(old) and draft.strangers(old[:1], saved=True) == [old]
    with pytest.raises(KeyError):
        draft.spec(old)
    assert draft.undo() == ("comment",) and draft.undo() == old
    assert draft.document == document and not draft.changed()
    assert list(draft.document) == list(document)


def test_keys_that_are_refused_have_their_errors(draft: Draft) -> None:
    document = cluster()
    document["jobs_runner_config"]["default_slurm_config"] |= {"qos": "x", "line\nbreak": 1}
    draft.replace(document)
    assert draft.errors == {
        (*SET, "qos"): "is not a known key",
        (*SET, "line\nbreak"): "is not a known key",
    }
    assert draft.unknown == () and draft.strangers(SET) == list(draft.errors)
    local = Draft(RESOURCE_SPEC, here() | {"host": "x"})
    assert local.errors == {("host",): "must be null or absent for this type"}
    assert local.strangers() == [("host",)] and local.path_of("host") == ("host",)
    local.clear(("host",))
    assert local.errors == {} and local.document == here()


def test_an_error_of_a_whole_object_stands_at_its_group(draft: Draft) -> None:
    draft.type(("tasks_python_config", "default_version"), "3.9")
    assert draft.errors == {("tasks_python_config",): "must have its default_version among its versions"}
    draft.undo()
    draft.clear((*PIXI, "SLURM_CONFIG"))
    assert draft.errors == {(): "tasks_pixi_config must have a SLURM_CONFIG on a slurm_ssh resource"}


# Names and echoes


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), ""),
        (MEM, "jobs_runner_config.default_slurm_config.mem"),
        ((*VERSIONS, 1), "tasks_python_config.versions.3.12"),
        ((*PIXI, "versions", 0), "tasks_pixi_config.versions.0.54.1"),
        ((*LINES, 2), "jobs_runner_config.default_slurm_config.extra_lines.2"),
    ],
)
def test_names_of_fields(draft: Draft, path: Path, name: str) -> None:
    assert draft.dotted(path) == name
    assert draft.path_of(name) == path


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("jobs_runner_config.default_slurm_config.qos", SET),
        ("jobs_runner_config.default_slurm_config.extra_lines.7", LINES),
        ("jobs_runner_config.user_local_exports.NONE", EXPORTS),
        ("tasks_python_config.versions.3", VERSIONS),
        ("name.first", ("name",)),
        ("elsewhere.x", ()),
    ],
)
def test_a_name_without_a_field_means_the_nearest_one_around_it(draft: Draft, name: str, path: Path) -> None:
    assert draft.path_of(name) == path


def test_a_field_that_is_not_shown_means_its_group() -> None:
    draft = Draft(RESOURCE_SPEC, here())
    assert draft.path_of("host") == ()
    assert "host" not in [found.name for found in draft.fields()]


@pytest.mark.parametrize(
    ("path", "text", "echo"),
    [
        (MEM, "3G", "3,000 MB"),
        (MEM, " 1T", "1,000,000 MB"),
        (MEM, "64000", "64 GB"),
        (MEM, "64000M", "64 GB"),
        (MEM, "1234M", ""),
        (MEM, "1234", ""),
        (MEM, "3g", ""),
        ((*SET, "time"), "90m", "1:30:00"),
        ((*SET, "time"), "1:30:00", ""),
        ((*SET, "time"), "1-12", "1-12:00:00"),
        ((*SET, "time"), "soon", ""),
        ((*SET, "partition"), "3G", ""),
    ],
)
def test_what_a_text_means(draft: Draft, path: Path, text: str, echo: str) -> None:
    draft.type(path, text)
    assert draft.echo(path) == echo


def test_the_set_of_the_model_is_what_was_given(draft: Draft) -> None:
    draft.put((*GPU, "use_mem_per_cpu"), False)
    draft.fill((*GPU, "extra_lines"))
    model = SlurmRunnerConfig.model_validate(draft.document["jobs_runner_config"])
    assert model.gpu_slurm_config is not None
    assert model.gpu_slurm_config.model_fields_set == {"partition", "gres", "use_mem_per_cpu", "extra_lines"}
