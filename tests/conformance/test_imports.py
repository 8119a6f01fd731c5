"""Every resource and profile of the pack as a document: valid ones are kept unchanged, others not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.config.documents import add_document, read_document, save_document
from runners.config.errors import ConfigError
from runners.config.files import list_resources
from runners.config.home import Home
from runners.config.templates import new_resource_document
from tests.conformance.test_pack import PACK, needs_pack

FILL = {
    "name": "filled in",
    "host": "login.example.org",
    "jobs_slurm_python_worker": "/usr/bin/python3",
    "tasks_local_dir": "/tasks",
    "jobs_local_dir": "/jobs",
    "tasks_python_config": {"default_version": "3.12", "versions": {"3.12": "/usr/bin/python3"}},
}


def requests(op: str) -> Iterator[tuple[Any, bool]]:
    """The documents of an operation, and whether they are valid."""
    for file in ("vectors.jsonl", "divergences.jsonl"):
        for line in (PACK / file).read_text().splitlines():
            request = json.loads(line)
            if request["op"] == op:
                yield request["args"]["data"], "ok" in request


def kept(folder: Path, resource: str, profile: str | None, data: Any, valid: bool) -> None:
    """Add it and save it once more; it is there as it was given, its keys in their order."""
    if not valid:
        with pytest.raises(ConfigError):
            add_document(folder, resource, profile, data)
        return
    added = add_document(folder, resource, profile, data)
    assert json.dumps(json.loads(added.path.read_bytes())) == json.dumps(data)
    assert read_document(folder, resource, profile) == added
    assert save_document(folder, added, data).content == added.content


@needs_pack
def test_resources_are_kept_as_they_are(tmp_path: Path) -> None:
    names = set()
    for number, (data, valid) in enumerate(requests("resource")):
        kept(tmp_path, str(number), None, data, valid)
        names |= {str(number)} if valid else set()
    assert len(names) > 10
    assert {found.name for found in list_resources(tmp_path)} == names


@needs_pack
def test_profiles_are_kept_as_they_are(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    for kind in ("local", "slurm_sudo", "slurm_ssh"):
        document = new_resource_document(kind, home)
        document |= {key: value for key, value in FILL.items() if key == "name" or kind != "local"}
        if kind != "slurm_ssh":
            document.pop("host", None)
        add_document(home.resources, kind, None, document)
    count = 0
    for number, (data, valid) in enumerate(requests("profile")):
        kept(home.resources, data["resource_type"] if valid else "slurm_ssh", str(number), data, valid)
        count += valid
    assert count > 5
