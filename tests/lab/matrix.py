"""The tests of SLURM, over SSH, against clusters of other releases: `python -m tests.lab.matrix`.

What follows is given to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tests.lab.errors import LabError
from tests.lab.packages import why_no_lab
from tests.lab.roots import RELEASES, ensure_root

_TESTS = ("tests/lab/test_lab.py", "tests/slurm")


@dataclass(frozen=True, slots=True)
class _Outcome:
    passed: bool
    seconds: float
    said: str


def main(arguments: list[str]) -> int:
    """Run the tests for all releases at once; returns 0 if all have passed, or where no lab can be had."""
    if reason := why_no_lab():
        sys.stdout.write(f"No matrix here: {reason}.\n")
        return 0
    failed = 0
    # They wait for most of the time: one after the other they would take three times as long.
    with ThreadPoolExecutor() as pool:
        asked = {pool.submit(_try, release, arguments): release for release in RELEASES}
        for answer in as_completed(asked):
            outcome = answer.result()
            failed += not outcome.passed
            if not outcome.passed:
                sys.stdout.write(f"{outcome.said.rstrip()}\n")
            word = "passed" if outcome.passed else "FAILED"
            last = outcome.said.rstrip().rpartition("\n")[2].strip("= ")
            sys.stdout.write(f"SLURM {asked[answer]}: {word} in {outcome.seconds:.0f} s: {last}\n")
            sys.stdout.flush()
    return 1 if failed else 0


def _try(release: str, arguments: list[str]) -> _Outcome:
    began = time.monotonic()
    try:
        root = ensure_root(release)
    except LabError as error:
        return _Outcome(False, time.monotonic() - began, str(error))
    done = subprocess.run(
        # Not all that is skipped: it is the same for all of them.
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfE", *_TESTS, *arguments],
        env={**os.environ, "RUNYARD_LAB_ROOT": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return _Outcome(done.returncode == 0, time.monotonic() - began, done.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
