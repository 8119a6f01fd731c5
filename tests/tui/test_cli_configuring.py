"""`runyard resource` and `runyard profile`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runners.config.home import Home
from runners.config.resource import RESOURCE_TYPES
from tests.tui.cli_lab import answer, on_terminal, refusal, runyard
from tests.tui.drafting import keep_draft
from tui.drafts import left_drafts
from tui.subject import open_subject

SLURM = {
    "type": "slurm_ssh",
    "name": "uzh",
    "host": "login.example.org",
    "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3.12"}},
    "tasks_pixi_config": {},
    "tasks_local_dir": "/srv/tasks",
    "jobs_local_dir": "/srv/jobs",
    "jobs_slurm_python_worker": "/usr/bin/python3",
    "jobs_runner_config": {
        "default_slurm_config": {"partition": "main", "cpus_per_task": 1, "mem": "1G"},
        "batching_config": {
            "target_num_jobs": 2,
            "max_num_jobs": 4,
            "target_cpus_per_job": 4,
            "max_cpus_per_job": 8,
            "target_mem_per_job": "8G",
            "max_mem_per_job": "16G",
        },
    },
}
PROFILE = {
    "resource_type": "slurm_ssh",
    "name": "me",
    "username": "me",
    "ssh_key_path": "/home/me/.ssh/id",
    "jobs_remote_dir": "/data/jobs",
    "tasks_remote_dir": "/data/tasks",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a resource and a profile, and a home that is not there yet."""
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "uzh.json").write_text(json.dumps(SLURM))
    (tmp_path / "me.json").write_text(json.dumps(PROFILE))
    return tmp_path


def test_a_resource_from_its_addition_to_its_removal() -> None:
    assert [found["name"] for found in answer("resource", "list", "--json")] == ["local"]
    assert runyard("resource", "validate", "uzh.json").stdout == "uzh.json is a valid resource.\n"
    assert "The resource uzh has been added." in runyard("resource", "add", "uzh.json").stdout
    assert "uzh       slurm_ssh  " in runyard("resource", "list").stdout
    shown = answer("resource", "show", "uzh", "--json")
    assert json.loads(runyard("resource", "show", "uzh").stdout) == shown
    assert shown["host"] == "login.example.org"
    assert shown["jobs_poll_interval"] == 5
    assert "already a resource uzh" in refusal("resource", "add", "uzh.json")
    runyard("resource", "add", "uzh.json", "--name", "other")
    assert len(answer("resource", "list", "--json")) == 3
    runyard("resource", "remove", "other", "--yes")
    assert len(answer("resource", "list", "--json")) == 2


def test_profiles_of_a_resource() -> None:
    runyard("resource", "add", "uzh.json")
    assert "valid profile" in runyard("profile", "validate", "me.json").stdout
    assert "There are no profiles" in runyard("profile", "list").stdout
    runyard("profile", "add", "uzh", "me.json")
    assert answer("profile", "show", "uzh", "me")["username"] == "me"
    assert [found["name"] for found in answer("profile", "list", "uzh", "--json")] == ["me"]
    assert "uzh       me " in runyard("profile", "list").stdout
    assert "must be local" in refusal("profile", "add", "local", "me.json")
    told = refusal("profile", "show", "uzh", "you", code=3)
    assert told == "There is no profile of the resource uzh named you; there are: me."
    done = runyard("profile", "remove", "uzh", "me", "--yes")
    assert done.stdout == "The profile me of the resource uzh has been removed.\n"
    assert answer("profile", "list", "--json") == []


def test_what_is_there_is_validated_by_its_name(folder: Path) -> None:
    runyard("resource", "add", "uzh.json")
    runyard("profile", "add", "uzh", "me.json")
    kept = Home.from_environment().resources / "uzh"
    assert runyard("resource", "validate", "uzh").stdout == f"{kept / 'resource.json'} is a valid resource.\n"
    profile = kept / "profiles" / "me.json"
    assert runyard("profile", "validate", "uzh", "me").stdout == f"{profile} is a valid profile.\n"
    # As the profile of another kind of resource it is not, which the file alone does not tell.
    profile.write_text('{"resource_type": "local", "name": "me"}')
    assert answer("profile", "validate", str(profile), "--json")["valid"]
    found = answer("profile", "validate", "uzh", "me", "--json", code=2)
    assert [fault["field"] for fault in found["faults"]] == ["resource_type"] and found["file"] == str(
        profile
    )
    # A file goes before a resource of that name.
    (folder / "uzh").write_text("{")
    assert answer("resource", "validate", "uzh", "--json", code=2)["file"] == "uzh"
    (folder / "uzh").unlink()
    assert refusal("profile", "validate", "uzh") == (
        "There is no file uzh; name a profile behind the resource uzh (there are: me)."
    )
    assert "no profile of the resource uzh named you" in refusal("profile", "validate", "uzh", "you", code=3)
    assert "There is no resource named x" in refusal("profile", "validate", "x", "me", code=3)
    assert "No such file" in refusal("resource", "validate", "x")


def test_keys_without_effect_are_told_when_they_are_added() -> None:
    Path("uzh.json").write_text(json.dumps({**SLURM, "hots": 1}))
    assert "hots has no effect" in runyard("resource", "add", "uzh.json").stderr
    Path("me.json").write_text(json.dumps({**PROFILE, "user": 1}))
    assert "user has no effect" in runyard("profile", "add", "uzh", "me.json").stderr


def test_a_list_shows_paths_in_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runyard("resource", "add", "uzh.json")
    runyard("profile", "add", "uzh", "me.json")
    broken = Home.from_environment().resources / "local" / "resource.json"
    broken.write_text("{")
    monkeypatch.setenv("HOME", str(folder))
    for printed, home in (
        (on_terminal("resource", "list", columns=40), "~"),
        (runyard("resource", "list").stdout, str(folder)),
    ):
        assert f"uzh       slurm_ssh  {home}/home/config/resources/uzh/resource.json\n" in printed
        assert (
            f"✗ broken   {home}/home/config/resources/local/resource.json: this is not valid JSON" in printed
        )
        assert "…" not in printed
    path = "~/home/config/resources/uzh/profiles/me.json"
    assert f"uzh       me       {path}\n" in on_terminal("profile", "list", columns=40)


def test_a_plan_for_a_cluster() -> None:
    runyard("resource", "add", "uzh.json")
    (Path("items.txt")).write_text("".join(f"{number}\n" for number in range(20)))
    arguments = ["--resource", "uzh", "--items-from", "items.txt", "--json", "--", "segment", "{item}"]
    assert "The resource uzh has no profile yet; add one first." in refusal("plan", *arguments)
    runyard("profile", "add", "uzh", "me.json")
    plan = answer("plan", *arguments)
    assert plan["profile"] == "me"
    assert plan["steps"][0]["batches"] == 3


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["resource", "validate", "absent.json"], 2, "No such file"),
        (["resource", "add", "me.json"], 2, "type must be one of"),
        (["resource", "show", "absent"], 3, "There is no resource named absent; there are: local."),
        (["resource", "remove", "absent"], 3, "There is no resource named absent"),
        (["resource", "show", "../x"], 2, "cannot be named"),
        (["resource"], 2, "list|show|template|add|remove|validate"),
        (["resource", "lst"], 2, "There is no command 'runyard resource lst'; did you mean list?"),
        (["profile", "check"], 2, "There is no command 'runyard profile check'; there are: list, show,"),
        (["profile", "list", "absent"], 3, "There is no resource named absent"),
        (["profile", "add", "local", "uzh.json"], 2, "resource_type"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], code: int, reason: str) -> None:
    assert reason in refusal(*words, code=code)


def test_a_broken_resource_does_not_hide_the_others() -> None:
    runyard("resource", "add", "uzh.json")
    path = Home.from_environment().resources / "uzh" / "resource.json"
    path.write_text('{"type": "slurm_ssh", "name": "\x1b[31m"')
    objects = answer("resource", "list", "--json")
    assert [(found["name"], found["valid"]) for found in objects] == [("local", True), ("uzh", False)]
    text = runyard("resource", "list").stdout
    assert "✗ broken" in text
    assert "not valid JSON" in text
    assert "not valid JSON" in refusal("resource", "show", "uzh")
    runyard("resource", "remove", "uzh", "--yes")


def test_a_resource_in_use_is_kept(home: Home) -> None:
    Path("other.json").write_text(runyard("resource", "show", "local").stdout)
    runyard("resource", "add", "other.json", "--name", "other")
    run = answer("run", "--resource", "other", "--json", "--", "sleep", "20")["run"]
    assert f"while run {run} is on it" in refusal("resource", "remove", "other")
    runyard("cancel", run)
    runyard("wait", run, code=1)
    runyard("resource", "remove", "other", "--yes")


def test_nothing_is_removed_before_it_is_agreed_to() -> None:
    runyard("resource", "add", "uzh.json")
    runyard("profile", "add", "uzh", "me.json")
    runyard("profile", "duplicate", "uzh", "me", "you")
    told = refusal("resource", "remove", "uzh")
    what = "the resource uzh and its profiles me, you"
    assert told == (
        f"Nobody can be asked here whether to remove {what}, which can't be undone; --yes removes without "
        "asking."
    )
    for no in (b"\n", b"n\n", b"\x04"):
        printed = on_terminal("resource", "remove", "uzh", typed=no)
        question = f"Remove {what}? This can't be undone. [y/N]: "
        assert question in printed and printed.endswith("runyard: The resource uzh is as it was.\n")
    question = "Remove the profile you of the resource uzh? This can't be undone. [y/N]: "
    assert question in on_terminal("profile", "remove", "uzh", "you", typed=b"y\n")
    printed = on_terminal("resource", "remove", "uzh", typed=b"Yes\n")
    assert printed.endswith("The resource uzh has been removed, with its profile me.\n")
    assert [found["name"] for found in answer("resource", "list", "--json")] == ["local"]


@pytest.mark.parametrize("kind", RESOURCE_TYPES)
def test_a_resource_and_its_profile_from_their_templates(kind: str) -> None:
    told = refusal("resource", "template", "cloud", code=3)
    assert told == "There is no kind of resource cloud; there are: local, slurm_sudo, slurm_ssh."
    words = ("resource", "template", kind, "--name", "new")
    done = runyard(*words)
    document = json.loads(done.stdout)
    assert list(document)[:2] == ["type", "name"] and answer(*words, "--json") == document
    # What it says is to be filled in is all that it takes.
    lacking = _filled(document, SLURM | {"tasks_local_dir": "/t", "jobs_local_dir": "/j"}, done.stderr)
    assert ("host" in lacking, "jobs_slurm_python_worker" in lacking) == (
        kind == "slurm_ssh",
        kind != "local",
    )
    # The schema takes one without, but no run can.
    assert ("jobs_runner_config.default_slurm_config.partition" in lacking) == (kind != "local")
    if lacking:
        Path("new.json").write_text(done.stdout)
        faults = runyard("resource", "validate", "new.json", code=2).stdout.splitlines()
        assert faults == [f"new.json: {path} must not be empty" for path in lacking]
        assert f"{lacking[0]} must not be empty" in refusal("resource", "add", "new.json")
    Path("new.json").write_text(json.dumps(document))
    runyard("resource", "add", "new.json")
    done = runyard("profile", "template", "new")
    document = json.loads(done.stdout)
    assert document["resource_type"] == kind
    assert "name" in _filled(document, PROFILE, done.stderr)
    Path("new.json").write_text(json.dumps(document))
    runyard("profile", "add", "new", "new.json")
    (Home.from_environment().resources / "new" / "resource.json").write_text("{")
    assert "What kind the resource new is can't be told" in refusal("profile", "template", "new")


def _filled(document: dict[str, Any], values: dict[str, Any], told: str) -> list[str]:
    """Fill in what was *told* to be lacking, and return that."""
    if not told:
        return []
    lacking = told.partition("between the quotes: ")[2].partition(". `runyard")[0].split(", ")
    for path in lacking:
        group, _, version = path.partition(".versions.")
        if version:
            holder, key, value = document[group]["versions"], version, "/usr/bin/python3"
        else:
            *groups, key = path.split(".")
            holder, fields = document, values
            for group in groups:
                holder, fields = holder[group], fields[group]
            value = fields[key]
        # To be seen in the editor.
        assert holder[key] == ""
        holder[key] = value
    return lacking


def test_the_resource_local_is_kept() -> None:
    sentence = refusal("resource", "remove", "local")
    assert sentence.startswith("The resource local can't be removed, since every start makes it again; edit ")
    assert sentence.endswith("/resources/local/resource.json.")


def test_what_was_typed_in_a_form_goes_where_its_resource_goes() -> None:
    runyard("resource", "add", "uzh.json")
    runyard("profile", "add", "uzh", "me.json")
    home = Home.from_environment()
    for subject in (open_subject(home, "uzh", None), open_subject(home, "uzh", "me")):
        keep_draft(home, subject, {"typed": "later"})
    runyard("resource", "rename", "uzh", "zurich")
    assert {draft.key for draft in left_drafts(home)} == {"zurich", "zurich/me"}
    runyard("profile", "rename", "zurich", "me", "you")
    assert {draft.key for draft in left_drafts(home)} == {"zurich", "zurich/you"}
    runyard("profile", "remove", "zurich", "you", "--yes")
    assert {draft.key for draft in left_drafts(home)} == {"zurich"}
    runyard("resource", "remove", "zurich", "--yes")
    assert left_drafts(home) == ()


def test_a_name_that_is_given_need_not_be_in_the_file() -> None:
    for file in ("uzh.json", "me.json"):
        document = json.loads(Path(file).read_text())
        del document["name"]
        Path(file).write_text(json.dumps(document))
    assert "name is missing" in refusal("resource", "add", "uzh.json")
    for what, file in (("resource", "uzh.json"), ("profile", "me.json")):
        done = runyard(what, "validate", file, code=2)
        assert done.stdout == f"{file}: name is missing\n"
        assert done.stderr.endswith(": one fault; --name N gives it one, here and when it is added.\n")
        assert runyard(what, "validate", file, "--name", "zurich").stdout == f"{file} is a valid {what}.\n"
    runyard("resource", "add", "uzh.json", "--name", "zurich")
    runyard("profile", "add", "zurich", "me.json", "--name", "you")
    assert answer("resource", "show", "zurich", "--json")["name"] == "zurich"
    assert answer("profile", "show", "zurich", "you", "--json")["name"] == "you"
    # As in a template.
    Path("uzh.json").write_text(json.dumps(SLURM | {"name": ""}))
    runyard("resource", "validate", "uzh.json", "--name", "bern")
    runyard("resource", "add", "uzh.json", "--name", "bern")
    assert answer("resource", "show", "bern", "--json")["name"] == "bern"
