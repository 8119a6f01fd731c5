"""Resources and profiles as JSON documents: lossless, also when they are broken; moving them; templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runners.config.documents import (
    Document,
    add_document,
    read_backup,
    read_document,
    save_document,
)
from runners.config.errors import ConfigError
from runners.config.files import list_profiles, list_resources, read_profile, read_resource
from runners.config.folders import (
    duplicate_profile,
    duplicate_resource,
    remove_profile,
    remove_resource,
    rename_profile,
    rename_resource,
)
from runners.config.home import Home
from runners.config.inner_name import renamed_inside
from runners.config.json_text import NOTHING, difference, text_difference
from runners.config.places import profile_path, resource_path
from runners.config.profile import parse_profile
from runners.config.resource import parse_resource
from runners.config.templates import new_profile_document, new_resource_document

EXPORTED: dict[str, Any] = {
    # As the reference system exports it: its own keys, its own order, values as an admin typed them.
    "id": 7,
    "timestamp_created": "2025-01-01T00:00:00+00:00",
    "type": "slurm_ssh",
    "name": "UZH é 🚀",
    "host": "login.example.org",
    "jobs_poll_interval": "10",
    "tasks_pixi_config": {},
    "jobs_runner_config": {
        "gpu_slurm_config": {"partition": "gpu", "gres": None, "extra_lines": []},
        "default_slurm_config": {"mem": "3G", "partition": "main", "cpus_per_task": 2.0},
        "batching_config": {
            "target_num_jobs": 5,
            "max_num_jobs": 20,
            "target_cpus_per_job": 8,
            "max_cpus_per_job": 32,
            "target_mem_per_job": "16G",
            "max_mem_per_job": "64G",
        },
    },
    "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr//bin/python3.12"}},
    "tasks_local_dir": "/data/tasks/",
    "jobs_local_dir": "/data/jobs",
    "jobs_slurm_python_worker": "/usr/bin/python3",
    "note": {"of": ["an", None, 1e-7, 12345678901234567890123, "half \ud800 a pair"]},
}
BOB: dict[str, Any] = {
    "resource_id": 7,
    "name": "Bob",
    "resource_type": "slurm_ssh",
    "username": " bob ",
    "ssh_key_path": "/home/bob/.ssh/id",
    "tasks_remote_dir": "/tasks",
    "jobs_remote_dir": "/jobs",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "resources"


@pytest.fixture
def uzh(folder: Path) -> Document:
    document = add_document(folder, "uzh", None, EXPORTED)
    add_document(folder, "uzh", "bob", BOB)
    return document


def on_disk(path: Path) -> str:
    """The document in a file, with the order of its keys."""
    return json.dumps(json.loads(path.read_bytes()))


def everything(folder: Path) -> dict[str, bytes]:
    """All files there are, but for the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_what_was_imported_is_there_unchanged(folder: Path, uzh: Document) -> None:
    assert on_disk(uzh.path) == json.dumps(EXPORTED)
    assert on_disk(profile_path(folder, "uzh", "bob")) == json.dumps(BOB)
    assert json.dumps(read_document(folder, "uzh").data) == json.dumps(EXPORTED)
    assert read_document(folder, "uzh") == uzh
    # And it is one that works.
    assert read_resource(folder, "uzh").value.jobs_poll_interval == 10
    assert read_profile(folder, "uzh", "bob").value.username == "bob"


def test_letters_are_letters_in_the_file(uzh: Document, folder: Path) -> None:
    assert isinstance(uzh.data, dict)
    saved = save_document(folder, uzh, {key: uzh.data[key] for key in uzh.data if key != "note"})
    assert '"name": "UZH é 🚀"' in saved.text
    assert saved.content == saved.path.read_bytes()


def test_a_save_keeps_order_unknown_keys_and_what_was_before(folder: Path, uzh: Document) -> None:
    edited = json.loads(json.dumps(EXPORTED))
    edited["jobs_runner_config"]["default_slurm_config"]["mem"] = "4G"
    saved = save_document(folder, uzh, edited)
    assert on_disk(saved.path) == json.dumps(edited)
    assert read_document(folder, "uzh") == saved
    assert json.dumps(read_backup(folder, "uzh")) == json.dumps(EXPORTED)
    # With what the save returned one can go on.
    again = save_document(folder, saved, edited | {"name": "third"})
    assert read_document(folder, "uzh").data == edited | {"name": "third"}
    assert read_backup(folder, "uzh") == edited
    with pytest.raises(ConfigError, match="changed elsewhere since it was read"):
        save_document(folder, saved, edited | {"name": "fourth"})
    assert read_document(folder, "uzh") == again


def test_there_is_no_backup_before_the_first_save(folder: Path, uzh: Document) -> None:
    with pytest.raises(ConfigError, match=r"No version before the present one is kept: .*resource\.json~\."):
        read_backup(folder, "uzh")


def test_what_is_not_valid_is_not_written(folder: Path, uzh: Document) -> None:
    before = everything(folder)
    faulty = EXPORTED | {"jobs_poll_interval": -1, "host": ""}
    with pytest.raises(ConfigError) as caught:
        save_document(folder, uzh, faulty)
    assert {path for path, _ in caught.value.fields} == {"jobs_poll_interval", "host"}
    with pytest.raises(ConfigError, match=r"^The resource: ") as caught:
        add_document(folder, "new", None, faulty)
    assert len(caught.value.fields) == 2
    with pytest.raises(ConfigError, match="resource_type must be slurm_ssh, like its resource"):
        add_document(folder, "uzh", "me", {"resource_type": "local", "name": "me"})
    with pytest.raises(ConfigError, match="too large for JSON"):
        save_document(folder, uzh, EXPORTED | {"note": float("inf")})
    with pytest.raises(ConfigError, match="must be a JSON object"):
        save_document(folder, uzh, NOTHING)
    assert everything(folder) == before


def test_another_type_would_leave_profiles_behind(folder: Path, uzh: Document) -> None:
    sudo = {key: EXPORTED[key] for key in EXPORTED if key != "host"} | {"type": "slurm_sudo"}
    with pytest.raises(
        ConfigError, match="type must stay slurm_ssh while there are profiles for that: bob"
    ) as e:
        save_document(folder, uzh, sudo)
    assert [path for path, _ in e.value.fields] == ["type"]
    remove_profile(folder, "uzh", "bob")
    assert save_document(folder, uzh, sudo).error is None


BROKEN = {
    "fields": (json.dumps(EXPORTED | {"host": 1}).encode(), ["host"]),
    "no object": (b"[1]", [""]),
    "cut": (b'{"type": "slurm_ssh",\n', None),
    "empty": (b"", None),
    "bytes": (b'{"name": "\xff"}', None),
    "no number": (b'{"name": NaN}', None),
    "utf-16": ('{"type": "é'.encode("utf-16"), None),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_can_be_read_and_repaired(folder: Path, uzh: Document, case: str) -> None:
    content, fields = BROKEN[case]
    uzh.path.write_bytes(content)
    broken = read_document(folder, "uzh")
    assert broken.error is not None
    assert str(uzh.path) in str(broken.error)
    assert broken.content == content
    if fields is None:
        assert broken.data is NOTHING
        assert broken.error.fields == []
    else:
        assert broken.data == json.loads(content)
        assert [path for path, _ in broken.error.fields] == fields
    assert ("é" in broken.text) == (case == "utf-16")
    assert save_document(folder, broken, EXPORTED).error is None
    assert read_document(folder, "uzh").data == EXPORTED
    assert uzh.path.with_name("resource.json~").read_bytes() == content


def test_a_resource_without_its_file_can_be_given_one(folder: Path, uzh: Document) -> None:
    uzh.path.unlink()
    empty = read_document(folder, "uzh")
    assert (empty.fingerprint, empty.data, empty.text) == (None, NOTHING, "")
    assert "There is no file " in str(empty.error)
    save_document(folder, empty, EXPORTED)
    with pytest.raises(ConfigError, match="exists already; nothing was written"):
        save_document(folder, empty, EXPORTED)
    assert read_document(folder, "uzh").data == EXPORTED


def test_a_profile_of_a_broken_resource_can_be_edited(folder: Path, uzh: Document) -> None:
    uzh.path.write_text(json.dumps({"type": "slurm_ssh"}))
    bob = read_document(folder, "uzh", "bob")
    assert bob.error is None
    save_document(folder, bob, BOB | {"username": "robert"})
    wrong = {"resource_type": "local", "name": "me"}
    with pytest.raises(ConfigError, match="must be slurm_ssh"):
        add_document(folder, "uzh", "me", wrong)
    # One that does not even tell its type has no say.
    uzh.path.write_text("{")
    add_document(folder, "uzh", "me", wrong)


def test_what_is_not_there_is_told(folder: Path, uzh: Document) -> None:
    for ask in (
        lambda: read_document(folder, "eth"),
        lambda: read_document(folder, "eth", "bob"),
        lambda: add_document(folder, "eth", "bob", BOB),
        lambda: rename_resource(folder, "eth", "new"),
        lambda: duplicate_resource(folder, "eth", "new", profiles=True),
        lambda: rename_profile(folder, "eth", "bob", "new"),
        lambda: remove_profile(folder, "eth", "bob"),
    ):
        with pytest.raises(ConfigError, match=r"^There is no resource named eth; there are: uzh\.$"):
            ask()
    for ask in (
        lambda: read_document(folder, "uzh", "eve"),
        lambda: rename_profile(folder, "uzh", "eve", "new"),
        lambda: duplicate_profile(folder, "uzh", "eve", "new"),
        lambda: remove_profile(folder, "uzh", "eve"),
    ):
        with pytest.raises(ConfigError, match=r"^There is no profile of the resource uzh named eve; there "):
            ask()
    assert not (folder / "eth").exists()
    # A file of that name is none.
    (folder / "eth").touch()
    with pytest.raises(ConfigError, match=r"^There is no resource named eth; there are: uzh\.$"):
        read_document(folder, "eth")


def test_a_save_after_a_rename_elsewhere_makes_nothing(folder: Path, uzh: Document) -> None:
    rename_resource(folder, "uzh", "eth")
    with pytest.raises(ConfigError, match="The resource uzh was removed or renamed elsewhere since it was"):
        save_document(folder, uzh, EXPORTED)
    assert {entry.name for entry in list_resources(folder)} == {"eth"}


def test_renaming_moves_all_there_is(folder: Path, uzh: Document) -> None:
    save_document(folder, uzh, EXPORTED | {"name": "two"})
    before = everything(folder)
    rename_resource(folder, "uzh", "e t h")
    assert everything(folder) == {name.replace("uzh", "e t h"): content for name, content in before.items()}
    assert len(before) == 3
    for taken in ("e t h", "taken"):
        (folder / "taken").mkdir(exist_ok=True)
        with pytest.raises(ConfigError, match=f"There is already a resource {taken}, in "):
            rename_resource(folder, "e t h", taken)
    with pytest.raises(ConfigError, match="cannot be named"):
        rename_resource(folder, "e t h", "../out")


def test_duplicating_with_and_without_profiles(folder: Path, uzh: Document) -> None:
    uzh.path.with_name("resource.json~").write_text("of before")
    profile_path(folder, "uzh", "broken").write_text("{")
    before = everything(folder)
    duplicate_resource(folder, "uzh", "all", profiles=True)
    duplicate_resource(folder, "uzh", "bare", profiles=False)
    assert {entry.name for entry in list_profiles(folder, "all")} == {"bob", "broken"}
    assert list_profiles(folder, "bare") == []
    made = everything(folder)
    assert made["all/resource.json"] == made["bare/resource.json"] == before["uzh/resource.json"]
    assert made["all/profiles/broken.json"] == b"{"
    # A backup is of the one, not of the other.
    assert made.keys() - before.keys() == {
        *("all/resource.json", "all/profiles/bob.json", "all/profiles/broken.json", "bare/resource.json")
    }
    with pytest.raises(ConfigError, match="There is already a resource all"):
        duplicate_resource(folder, "uzh", "all", profiles=True)
    assert everything(folder) == made


def test_profiles_are_renamed_and_duplicated(folder: Path, uzh: Document) -> None:
    save_document(folder, read_document(folder, "uzh", "bob"), BOB | {"username": "robert"})
    duplicate_profile(folder, "uzh", "bob", "eve")
    rename_profile(folder, "uzh", "bob", "robert")
    assert [entry.name for entry in list_profiles(folder, "uzh")] == ["eve", "robert"]
    assert read_document(folder, "uzh", "robert").data == BOB | {"username": "robert"}
    assert read_backup(folder, "uzh", "robert") == BOB
    for change in (rename_profile, duplicate_profile):
        with pytest.raises(ConfigError, match="The resource uzh has a profile eve already"):
            change(folder, "uzh", "robert", "eve")
    with pytest.raises(ConfigError, match=r"eve\.json exists already; nothing was written"):
        add_document(folder, "uzh", "eve", BOB)
    # A backup does not outlast its profile.
    remove_profile(folder, "uzh", "robert")
    assert sorted(everything(folder)) == ["uzh/profiles/eve.json", "uzh/resource.json"]


@pytest.mark.parametrize(
    ("content", "then"),
    [
        (b'{"name": "uzh"}', b'{"name": "e\xc3\xa9 \\"t\\""}'),
        # The layout stays, and so does what stands elsewhere, be it called a name too.
        (
            b' {"a":[{"name":"uzh"}], "na\\u006de"\t:\n"  uzh " ,\r\n"x":1e2,"y":{}}\n\n',
            b' {"a":[{"name":"uzh"}], "na\\u006de"\t:\n"e\xc3\xa9 \\"t\\"" ,\r\n"x":1e2,"y":{}}\n\n',
        ),
        (b'\xef\xbb\xbf{"name": "uzh"}', b'\xef\xbb\xbf{"name": "e\xc3\xa9 \\"t\\""}'),
        ('{"name": "uzh"}'.encode("utf-16-be"), '{"name": "e\u00e9 \\"t\\""}'.encode("utf-16-be")),
        (b'{"name": "a", "name": "uzh"}', b'{"name": "a", "name": "e\xc3\xa9 \\"t\\""}'),
        *[
            (content, content)
            for content in (
                b'{"name": "UZH Zurich"}',
                b'{"name": "uzh", "name": "a"}',
                b'{"name": ["uzh"]}',
                b"{}",
                b'["name", "uzh"]',
                b'"uzh"',
                b'{"name": "uzh"',
                b'{"name": "uzh", "x": NaN}',
                b'{"name": "uzh", "x": "\xff"}',
                b"",
            )
        ],
    ],
)
def test_the_name_that_a_document_tells_follows_the_one_it_goes_by(content: bytes, then: bytes) -> None:
    assert renamed_inside(content, "uzh", 'e\u00e9 "t"') == then


def test_names_inside_follow_where_they_were_the_names(folder: Path, uzh: Document) -> None:
    named = json.dumps({**EXPORTED, "name": "uzh"}, indent=7).encode()
    uzh.path.write_bytes(named)
    uzh.path.chmod(0o640)
    uzh.path.with_name("resource.json~").write_bytes(named)
    bob = profile_path(folder, "uzh", "bob")
    bob.write_bytes(json.dumps({**BOB, "name": "bob"}).encode())
    duplicate_resource(folder, "uzh", "two", profiles=True)
    duplicate_profile(folder, "uzh", "bob", "eve")
    made = everything(folder)
    assert made["uzh/resource.json"] == named
    assert made["two/resource.json"] == named.replace(b'"name": "uzh"', b'"name": "two"') != named
    assert made["two/profiles/bob.json"] == made["uzh/profiles/bob.json"]
    assert read_document(folder, "uzh", "eve").data == {**BOB, "name": "eve"}
    rename_resource(folder, "uzh", "eth")
    rename_profile(folder, "eth", "bob", "rob")
    moved = everything(folder)
    assert moved["eth/resource.json"] == named.replace(b'"name": "uzh"', b'"name": "eth"')
    assert resource_path(folder, "eth").stat().st_mode & 0o777 == 0o640
    # Of before; a rename is no change to go back from.
    assert moved["eth/resource.json~"] == named
    assert read_document(folder, "eth", "rob").data == {**BOB, "name": "rob"}
    assert len(moved) == len(made)


def test_a_link_is_renamed_and_what_it_leads_to_stays(folder: Path, uzh: Document, tmp_path: Path) -> None:
    shared = tmp_path / "shared.json"
    shared.write_text(json.dumps({**EXPORTED, "name": "uzh"}))
    before = shared.read_bytes()
    uzh.path.unlink()
    uzh.path.symlink_to(shared)
    rename_resource(folder, "uzh", "eth")
    assert resource_path(folder, "eth").is_symlink()
    assert shared.read_bytes() == before


def test_removing_a_link_leaves_what_it_leads_to(folder: Path, uzh: Document, tmp_path: Path) -> None:
    (folder / "uzh").rename(tmp_path / "kept")
    (folder / "uzh").symlink_to(tmp_path / "kept")
    assert read_document(folder, "uzh").error is None
    remove_resource(folder, "uzh")
    assert list_resources(folder) == []
    assert (tmp_path / "kept" / "resource.json").exists()


def test_differences_are_lines_of_a_unified_diff() -> None:
    old = {"mem": "3G", "name": "a\u2028b"}
    assert difference(old, old | {"mem": "4G"}, "uzh") == [
        "--- uzh (before)",
        "+++ uzh (after)",
        "@@ -1,4 +1,4 @@",
        " {",
        '-  "mem": "3G",',
        '+  "mem": "4G",',
        '   "name": "a\u2028b"',
        " }",
    ]
    assert difference(old, dict(old), "uzh") == []
    assert difference(NOTHING, {}, "uzh")[2:] == ["@@ -0,0 +1 @@", "+{}"]
    assert difference({}, NOTHING, "uzh")[3:] == ["-{}"]
    assert text_difference('{"a', "{}\n", "uzh")[3:] == ['-{"a', "+{}"]


def test_beginnings_lack_only_what_a_person_has_to_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home.at(tmp_path)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_rsa").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path))
    missing = {
        "local": {"name"},
        "slurm_sudo": {"name", "tasks_local_dir", "jobs_local_dir", "jobs_slurm_python_worker"},
        "slurm_ssh": {"name", "host", "jobs_slurm_python_worker", "tasks_python_config.default_version"},
    }
    for kind, absent in missing.items():
        with pytest.raises(ConfigError) as caught:
            parse_resource(new_resource_document(kind, home))
        assert dict(caught.value.fields) == dict.fromkeys(absent, "is missing")
    missing = {
        "local": {"name"},
        "slurm_sudo": {"name", "username"},
        "slurm_ssh": {"name", "username", "jobs_remote_dir", "tasks_remote_dir"},
    }
    for kind, absent in missing.items():
        with pytest.raises(ConfigError) as caught:
            parse_profile(new_profile_document(kind))
        assert dict(caught.value.fields) == dict.fromkeys(absent, "is missing")
    with pytest.raises(ValueError, match="no kind of resource 'cloud'"):
        new_resource_document("cloud", home)
    assert resource_path(home.resources, "x").exists() is False
