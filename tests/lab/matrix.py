"""The tests of SLURM, over SSH, against clusters of other releases: `python -m tests.lab.matrix`.

What follows is given to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.packages import why_no_lab
from tests.lab.roots import RELEASES, ensure_root

_TESTS = ("tests/lab/test_lab.py", "tests/slurm")


def main(arguments: list[str]) -> int:
    """Run the tests for each release; returns 0 if all have passed, or where no lab can be had."""
    if reason := why_no_lab():
        sys.stdout.write(f"No matrix here: {reason}.\n")
        return 0
    failed: list[str] = []
    # The systems of the later releases are made while the tests of the earlier ones run.
    with ThreadPoolExecutor() as making:
        roots = {release: making.submit(ensure_root, release) for release in RELEASES}
        for release, root in roots.items():
            began = time.monotonic()
            try:
                passed = _passes(root.result(), arguments)
            except LabError as error:
                sys.stdout.write(f"{error}\n")
                passed = False
            failed += [] if passed else [release]
            word = "passed" if passed else "FAILED"
            sys.stdout.write(f"SLURM {release}: {word} in {time.monotonic() - began:.0f} s\n")
            sys.stdout.flush()
    return 1 if failed else 0


def _passes(root: Path, arguments: list[str]) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfE", *_TESTS, *arguments],
        env={**os.environ, "RUNYARD_LAB_ROOT": str(root)},
        check=False,
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
