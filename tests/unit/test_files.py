"""Resources and profiles as files."""

from __future__ import annotations

import json
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runners.config.errors import ConfigError
from runners.config.files import (
    Broken,
    Stored,
    add_resource,
    ensure_local_resource,
    list_profiles,
    list_resources,
    read_profile,
    read_resource,
    write_profile,
    write_resource,
)
from runners.config.folders import remove_profile, remove_resource
from runners.config.json_text import DEEPEST, from_json, read_file
from runners.config.local import LocalRunnerConfig
from runners.config.places import profile_path, resource_path
from runners.config.profile import Profile, parse_profile
from runners.config.resource import LocalResource, Resource, parse_resource

SUDO: dict[str, Any] = {
    "type": "slurm_sudo",
    "name": "UZH é",
    "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3.12"}},
    "tasks_pixi_config": {},
    "tasks_local_dir": "/data/tasks",
    "jobs_local_dir": "/data/jobs",
    "jobs_runner_config": {
        "default_slurm_config": {"partition": "main", "cpus_per_task": 2, "mem": 4000},
        "gpu_slurm_config": {"partition": "gpu", "gres": None},
        "batching_config": {
            "target_num_jobs": 5,
            "max_num_jobs": 20,
            "target_cpus_per_job": 8,
            "max_cpus_per_job": 32,
            "target_mem_per_job": 16_000,
            "max_mem_per_job": 64_000,
        },
    },
    "jobs_slurm_python_worker": "/usr/bin/python3",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "resources"


def sudo(**changes: Any) -> Resource:
    return parse_resource(SUDO | changes)


def bob(**changes: Any) -> Profile:
    return parse_profile({"resource_type": "slurm_sudo", "name": "Bob", "username": "bob"} | changes)


def everything(folder: Path) -> list[str]:
    """All there is, but for the lock, which stays."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != ".lock")


def test_a_resource_reads_back_as_it_was_given(folder: Path) -> None:
    add_resource(folder, "uzh", sudo())
    stored = read_resource(folder, "uzh")
    assert (stored.name, stored.value) == ("uzh", sudo())
    # Only the keys that were given: a null for gres clears the default's, an absent key does not.
    assert json.loads(stored.path.read_bytes()) == SUDO
    assert everything(folder) == ["uzh", "uzh/resource.json"]
    assert stat.S_IMODE((folder / "uzh").stat().st_mode) == 0o700
    assert stat.S_IMODE(stored.path.stat().st_mode) == 0o600


def test_a_second_resource_of_that_name_is_refused(folder: Path) -> None:
    add_resource(folder, "uzh", sudo())
    with pytest.raises(ConfigError, match=r"There is already a resource uzh, in .*/resources/uzh"):
        add_resource(folder, "uzh", sudo(name="other"))
    assert read_resource(folder, "uzh").value == sudo()
    assert everything(folder) == ["uzh", "uzh/resource.json"]


def test_a_write_keeps_one_backup_and_the_mode(folder: Path) -> None:
    add_resource(folder, "uzh", sudo())
    first = read_resource(folder, "uzh")
    before = first.path.read_bytes()
    first.path.chmod(0o640)
    write_resource(folder, "uzh", sudo(name="two"), first.fingerprint)
    second = read_resource(folder, "uzh")
    assert second.value.name == "two"
    assert (folder / "uzh" / "resource.json~").read_bytes() == before
    write_resource(folder, "uzh", sudo(name="three"), second.fingerprint)
    assert json.loads((folder / "uzh" / "resource.json~").read_bytes())["name"] == "two"
    assert everything(folder) == ["uzh", "uzh/resource.json", "uzh/resource.json~"]
    assert stat.S_IMODE(second.path.stat().st_mode) == 0o640


def test_a_write_keeps_the_group(folder: Path) -> None:
    """A resource that is shared with colleagues is theirs as well after it."""
    mine = {os.getegid()}
    others = {4711} if os.geteuid() == 0 else {*os.getgroups()} - mine
    if not others:
        pytest.skip("we are in one group only")
    add_resource(folder, "uzh", sudo())
    read = read_resource(folder, "uzh")
    os.chown(read.path, -1, group := others.pop())
    read.path.chmod(0o660)
    write_resource(folder, "uzh", sudo(name="two"), read.fingerprint)
    for file in (read.path, read.path.with_name("resource.json~")):
        assert (file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)) == (group, 0o660)


def test_an_edit_made_elsewhere_is_noticed(folder: Path) -> None:
    add_resource(folder, "uzh", sudo())
    mine = read_resource(folder, "uzh")
    theirs = json.dumps(SUDO | {"name": "theirs"})
    mine.path.write_text(theirs)
    with pytest.raises(ConfigError, match=r"resource\.json was changed elsewhere since it was read"):
        write_resource(folder, "uzh", sudo(name="mine"), mine.fingerprint)
    assert mine.path.read_text() == theirs
    remove_resource(folder, "uzh")
    with pytest.raises(ConfigError, match="was removed elsewhere"):
        write_resource(folder, "uzh", sudo(name="mine"), mine.fingerprint)
    assert everything(folder) == []


def test_a_link_to_a_file_elsewhere_stays_a_link(folder: Path, tmp_path: Path) -> None:
    add_resource(folder, "uzh", sudo())
    path = resource_path(folder, "uzh")
    kept = tmp_path / "dotfiles.json"
    path.rename(kept)
    path.symlink_to(kept)
    write_resource(folder, "uzh", sudo(name="two"), read_resource(folder, "uzh").fingerprint)
    assert path.is_symlink()
    assert json.loads(kept.read_bytes())["name"] == "two"


@contextmanager
def no_room() -> Iterator[None]:
    """Until it ends, no file of this process can grow: what a full disk does, without one."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_write_that_fails_leaves_everything_as_it_was(folder: Path) -> None:
    add_resource(folder, "uzh", sudo())
    stored = read_resource(folder, "uzh")
    before = stored.path.read_bytes()
    with no_room(), pytest.raises(ConfigError, match=r"Cannot write .*resource\.json \(File too large\)\."):
        write_resource(folder, "uzh", sudo(name="two"), stored.fingerprint)
    with no_room(), pytest.raises(ConfigError, match="File too large"):
        add_resource(folder, "second", sudo())
    assert stored.path.read_bytes() == before
    assert everything(folder) == ["uzh", "uzh/resource.json"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "resources").write_text("a file in the way")
    with pytest.raises(ConfigError, match=r"Cannot add the resource in .*uzh \(.*\)\."):
        add_resource(tmp_path / "resources", "uzh", sudo())
    with pytest.raises(ConfigError, match="Cannot read the folder"):
        list_resources(tmp_path / "resources")


def test_broken_resources_hide_nothing(folder: Path) -> None:
    add_resource(folder, "good", sudo())
    contents = {
        "cut": b'{"type": "local",\n "name": ',
        "bytes": b'{"type": "\xff"}',
        "deep": b"[" * 200_000,
        "long": b"1" * 5000,
        "list": b"[]",
        "fields": json.dumps(SUDO | {"host": "h"}).encode(),
        "\x1b[2J": b"{}",
    }
    for name, content in contents.items():
        (folder / name).mkdir()
        (folder / name / "resource.json").write_bytes(content)
    (folder / "empty").mkdir()
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "resource.json")
    (folder / ".hidden").mkdir()
    (folder / "a file").write_text("")

    found = list_resources(folder)
    assert [entry.name for entry in found if isinstance(entry, Stored)] == ["good"]
    told = {entry.name: str(entry.error) for entry in found if isinstance(entry, Broken)}
    assert told.keys() == contents.keys() | {"empty", "pipe"}
    for name in ("cut", "bytes", "deep", "long", "list", "fields", "empty", "pipe"):
        assert str(folder / name / "resource.json") in told[name]
    assert told["cut"].endswith("this is not valid JSON: Expecting value in line 2, column 10.")
    assert told["bytes"].endswith("its text is not UTF-8.")
    assert told["deep"].endswith("it is nested too deeply.")
    assert told["long"].endswith("it holds a number that is too long.")
    assert told["list"].endswith("it must be a JSON object.")
    assert told["fields"].endswith("resource.json: host must be null or absent for this type.")
    assert told["empty"].endswith("(No such file or directory).")
    assert told["pipe"].endswith("(it is not an ordinary file).")
    assert "\x1b" not in told["\x1b[2J"]


def test_no_folder_has_no_resources(folder: Path) -> None:
    assert list_resources(folder) == []
    with pytest.raises(ConfigError, match=r"^There is no resource named uzh; there are none yet\.$"):
        read_resource(folder, "uzh")


def test_an_unknown_resource_is_told_with_those_there_are(folder: Path) -> None:
    add_resource(folder, "b", sudo())
    add_resource(folder, "a", sudo())
    for ask in (read_resource, remove_resource, lambda at, name: read_profile(at, name, "p")):
        with pytest.raises(ConfigError, match=r"^There is no resource named uzh; there are: a, b\.$"):
            ask(folder, "uzh")


@pytest.mark.parametrize(
    "name", ["", " ", "a/b", "..", ".", ".a", "a\nb", "a\x00", "\x1b[2J", " a", "a ", "\udcff", "é" * 101]
)
def test_names_that_are_no_folders(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="A resource cannot be named") as caught:
        add_resource(folder, name, sudo())
    assert str(caught.value).isprintable()
    assert not folder.exists()
    with pytest.raises(ConfigError, match="A profile cannot be named"):
        profile_path(folder, "uzh", name)


def test_a_hostile_but_harmless_name_works(folder: Path) -> None:
    add_resource(folder, "[red] -rf é", sudo())
    assert [entry.name for entry in list_resources(folder)] == ["[red] -rf é"]


def test_profiles(folder: Path) -> None:
    add_resource(folder, "uzh", sudo())
    assert list_profiles(folder, "uzh") == []
    write_profile(folder, "uzh", "bob", bob(), None)
    with pytest.raises(ConfigError, match=r"bob\.json exists already"):
        write_profile(folder, "uzh", "bob", bob(), None)
    stored = read_profile(folder, "uzh", "bob")
    assert (stored.name, stored.value) == ("bob", bob())
    write_profile(folder, "uzh", "bob", bob(username="robert"), stored.fingerprint)
    (folder / "uzh" / "profiles" / "broken.json").write_text("{}")

    broken, listed = sorted(list_profiles(folder, "uzh"), key=lambda entry: isinstance(entry, Stored))
    assert isinstance(listed, Stored)
    assert listed.value.username == "robert"
    assert isinstance(broken, Broken)
    assert str(broken.error).endswith(
        "broken.json: resource_type must be one of local, slurm_sudo, slurm_ssh."
    )

    with pytest.raises(
        ConfigError, match=r"no profile of the resource uzh named eve; there are: bob, broken\."
    ):
        read_profile(folder, "uzh", "eve")
    remove_profile(folder, "uzh", "bob")
    remove_profile(folder, "uzh", "broken")
    assert everything(folder / "uzh") == ["profiles", "resource.json"]
    with pytest.raises(ConfigError, match="none yet"):
        remove_profile(folder, "uzh", "bob")


def test_a_profile_is_for_its_resources_kind(folder: Path) -> None:
    add_resource(folder, "uzh", sudo())
    local = parse_profile({"resource_type": "local", "name": "me"})
    with pytest.raises(ConfigError, match=r"me\.json: resource_type must be slurm_sudo, like its resource"):
        write_profile(folder, "uzh", "me", local, None)
    write_profile(folder, "uzh", "bob", bob(), None)
    profile_path(folder, "uzh", "me").write_text('{"resource_type": "local", "name": "me"}')
    with pytest.raises(ConfigError, match="must be slurm_sudo"):
        read_profile(folder, "uzh", "me")
    # A resource that is broken itself does not make its profiles so.
    resource_path(folder, "uzh").write_text("{}")
    assert [type(entry) for entry in list_profiles(folder, "uzh")] == [Stored, Stored]


def test_removing_a_resource_takes_its_profiles(folder: Path) -> None:
    add_resource(folder, "uzh", sudo())
    add_resource(folder, "other", sudo())
    write_profile(folder, "uzh", "bob", bob(), None)
    resource_path(folder, "uzh").write_text("broken")
    remove_resource(folder, "uzh")
    assert everything(folder) == ["other", "other/resource.json"]


def test_the_local_resource_is_made_once(folder: Path, tmp_path: Path) -> None:
    ensure_local_resource(folder, tmp_path)
    stored = read_resource(folder, "local")
    assert isinstance(stored.value, LocalResource)
    cores = len(os.sched_getaffinity(0))
    assert stored.value.jobs_runner_config == LocalRunnerConfig(parallel_tasks_per_job=cores)
    assert stored.value.jobs_local_dir == str(tmp_path / "jobs")
    stored.path.write_text("edited")
    ensure_local_resource(folder, tmp_path)
    assert stored.path.read_text() == "edited"


def test_any_file_can_be_read_for_import(tmp_path: Path) -> None:
    file = tmp_path / "uzh.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(SUDO).encode())
    assert parse_resource(from_json(read_file(file), str(file))) == sudo()
    with pytest.raises(ConfigError, match=r"Cannot read .*none\.json \(No such file or directory\)\."):
        read_file(tmp_path / "none.json")


def test_json_is_read_as_deep_as_everything_that_goes_through_it_can_follow() -> None:
    for depth in (DEEPEST, DEEPEST + 1):
        for begin, end in (("[", "]"), ('{"a":', "}")):
            text = (begin * depth + "1" + end * depth).encode()
            if depth == DEEPEST:
                assert from_json(text, "x") is not None
            else:
                with pytest.raises(ConfigError, match="it is nested too deeply"):
                    from_json(text, "x")
