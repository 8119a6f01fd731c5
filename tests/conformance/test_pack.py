"""Our answers against the reference system's, by the conformance pack's own checker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.answers import OPERATIONS

PACK = Path(os.environ.get("RUNYARD_CONFORMANCE") or Path(__file__).parents[3] / "shared" / "conformance")
ROOT = Path(__file__).parents[2]

needs_pack = pytest.mark.skipif(not PACK.is_dir(), reason=f"the conformance pack is not at {PACK}")


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What the checker says about the answers of `python -m tests.conformance`, asked as anyone would."""
    checker = [sys.executable, str(PACK / "check.py")]
    requests = subprocess.run([*checker, "--requests"], capture_output=True, check=True).stdout
    answering = [sys.executable, "-m", "tests.conformance"]
    answers = subprocess.run(answering, input=requests, capture_output=True, check=True, cwd=ROOT).stdout
    file = tmp_path_factory.mktemp("conformance") / "answers.jsonl"
    file.write_bytes(answers)
    return subprocess.run([*checker, str(file)], capture_output=True, text=True)


@needs_pack
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_the_reference_systems(
    check: subprocess.CompletedProcess[str], operation: str
) -> None:
    counts = re.search(rf"^op {operation} +(\d+) +(\d+)$", check.stdout, re.MULTILINE)
    assert counts is not None, check.stdout[-2000:]
    passed, failed = map(int, counts.groups())
    mismatches = re.findall(rf"^MISMATCH {operation}.*\n(?:  .*\n)+", check.stdout, re.MULTILINE)
    assert (passed > 0, failed) == (True, 0), "\n".join(mismatches)


@needs_pack
def test_the_whole_pack_is_answered(check: subprocess.CompletedProcess[str]) -> None:
    assert check.returncode == 0, check.stdout[-2000:]
    assert check.stdout.endswith(" passed, 0 failed\n")


def test_requests_can_come_from_a_file(tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    requests.write_text('{"id": "a", "op": "mem", "args": {"value": "2G"}}\n\n{"id": "b", "op": "other"}\n')
    command = [sys.executable, "-m", "tests.conformance", str(requests)]
    answers = subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout
    assert json.loads(answers) == {"id": "a", "ok": 2000}
