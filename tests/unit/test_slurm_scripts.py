"""Scripts and marks on this machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from runners.slurm.scripts import Scripts

FOLDER = "/home/alice/runyard/r1/0_it/batches/ry-1"


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    return Scripts(str(tmp_path / "jobs"))


def test_a_script_is_ours_alone(scripts: Scripts, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        scripts.write({FOLDER: b"#!/bin/sh\n"})
    finally:
        os.umask(before)
    here = tmp_path / "jobs" / "r1" / "0_it" / "batches" / "ry-1"
    assert [path.name for path in here.iterdir()] == ["submit.sh"]
    assert (here / "submit.sh").stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o777 for folder in (here, *list(here.parents)[:3])] == [0o700] * 4
    assert scripts.read(FOLDER) == b"#!/bin/sh\n"
    scripts.write({FOLDER: b"other"})
    assert scripts.read(FOLDER) == b"other"


def test_marks(scripts: Scripts) -> None:
    scripts.write({FOLDER: b""})
    assert scripts.marked_at(FOLDER) is None
    scripts.mark([FOLDER])
    assert scripts.marked_at(FOLDER) == pytest.approx(time.time(), abs=60)
    scripts.unmark([FOLDER])
    scripts.unmark([FOLDER])
    assert scripts.marked_at(FOLDER) is None


def test_a_batch_that_was_handed_over_is_not_taken_back(scripts: Scripts) -> None:
    scripts.write({FOLDER: b""})
    scripts.mark([FOLDER])
    assert scripts.withdraw(FOLDER) is False
    assert scripts.read(FOLDER) == b""
    scripts.unmark([FOLDER])
    assert scripts.withdraw(FOLDER) is True
    assert scripts.read(FOLDER) is None


def test_a_run_is_removed_with_all_its_scripts_and_nothing_else(scripts: Scripts, tmp_path: Path) -> None:
    other = FOLDER.replace("r1", "r2")
    scripts.write({FOLDER: b"", other: b""})
    scripts.remove("/home/alice/runyard/r1")
    scripts.remove("/home/alice/runyard/r1")
    assert scripts.read(other) == b""
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["r2"]


def test_no_folder_leads_outside(scripts: Scripts, tmp_path: Path) -> None:
    scripts.write({"/a/../../../../b/c/d/../e": b"x"})
    assert [path.name for path in tmp_path.iterdir()] == ["jobs"]
