"""`make demo-slurm`: the dashboard on a real SLURM cluster with batched work, all thrown away at the end.

The work is on the files of Debian's Python, and paced: the cluster's forty CPUs are declared, not real. What
fails there fails for a real reason: memory that was not asked for, a limit of time, a file that is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from runners.config.home import Home
from runners.engine.asking import RefusedError, ask
from runners.engine.client import EngineClient, EngineError
from runners.launching import LaunchError, LaunchOptions, prepare
from runners.requests import CancelRequest, RequestKind
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tui.app import run_dashboard

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_PYTHON = "/usr/bin/python3"
"""The cluster's users can't read the one that runs this."""

_COMPRESS = "sleep 3; sha256sum {item} && gzip -9c {item} | wc -c"

_COUNT = """\
import json, sys, time
time.sleep(2)
with open(sys.argv[1], "rb") as file:
    lines = sum(1 for line in file)
with open(sys.argv[2], "w") as file:
    json.dump({"lines": lines}, file)"""

_REPORT = """\
import json, sys
with open(sys.argv[1]) as file:
    items = json.load(file)["items"]
print(len(items), "files")"""

_HUNGRY = "import sys, time; held = bytearray(int(sys.argv[1]) << 20); time.sleep(8); print(len(held))"


def main() -> int:
    """Open it; returns the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("The demo opens the dashboard, which needs a terminal.\n")
        return 2
    # What is there has to be cleared away also where the terminal is closed meanwhile.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    sys.stdout.write("bringing a SLURM cluster up, and launching runs on it …\n")
    try:
        with demo_lab() as lab:
            fill(lab.home)
            code = run_dashboard(lab.home)
    except (LabError, LaunchError, RefusedError, EngineError) as error:
        sys.stderr.write(f"The demo can't begin: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    if code == 0:
        sys.stdout.write(f"The demo is over: its cluster in {lab.spec.folder} was taken down.\n")
    return code


@contextmanager
def demo_lab() -> Iterator[Lab]:
    """A lab with an engine, whose environment this process takes on. For the main thread only.

    Raises:
        LabError: it can't be had here.
        EngineError: the engine can't be started.
    """
    lab = Lab.up_somewhere()
    try:
        os.environ.update(lab.environment)
        asyncio.run(EngineClient(lab.home).ensure_running())
        yield lab
    finally:
        # Nobody waits longer for having been impatient: half a cluster would stay.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        lab.down()


def fill(home: Home) -> None:
    """Launch the demo's runs.

    Raises:
        LaunchError: one of them can't be launched.
        RefusedError: the engine refuses one.
        EngineError: the engine can't be reached.
    """
    for options in _runs(home.config.parent / "work"):
        request = prepare(options, home).request
        asyncio.run(ask(home, RequestKind.LAUNCH, request))
        if options.name == "cancelled-early":
            asyncio.run(ask(home, RequestKind.CANCEL, CancelRequest(run=request.run)))


def _runs(work: Path) -> list[LaunchOptions]:
    """The runs, in the order of their launch."""
    work.mkdir()
    files = sorted(map(str, Path("/usr/lib").glob("python3*/**/*.py")))
    return [
        LaunchOptions(
            name="checksum-stdlib",
            resource="lab-sudo",
            command=("sha256sum", "{item}"),
            items_from=_list(work, "checksum", [*files[:120], "/usr/lib/gone.py"]),
            workdir=Path("/"),
        ),
        LaunchOptions(
            name="cancelled-early",
            resource="lab-ssh",
            command=("sleep 5; sha256sum {item}",),
            shell=True,
            items_from=_list(work, "cancelled", files[:60]),
            workdir=Path("/"),
        ),
        LaunchOptions(
            name="train-on-gpus",
            resource="lab-sudo",
            workflow=_workflow(work, "train-on-gpus", _training()),
            items_from=_list(work, "train", [f"fold-{number}" for number in range(1, 9)]),
            workdir=Path("/"),
        ),
        LaunchOptions(
            name="beyond-their-limits",
            resource="lab-ssh",
            command=(_PYTHON, "-c", _HUNGRY, "{item}"),
            items_from=_list(work, "hungry", ["20", "40", "400", "30", "600", "10"]),
            mem="100M",
            workdir=Path("/"),
        ),
        LaunchOptions(
            name="count-and-report",
            resource="lab-sudo",
            workflow=_workflow(work, "count-and-report", _counting()),
            items_from=_list(work, "count", files[:400]),
            workdir=Path("/"),
        ),
        LaunchOptions(
            name="compress-stdlib",
            resource="lab-ssh",
            command=(_COMPRESS,),
            shell=True,
            items_from=_list(work, "compress", files[:1000]),
            workdir=Path("/"),
        ),
    ]


def _training() -> list[dict[str, object]]:
    script = "echo training {item} on GPU ${CUDA_VISIBLE_DEVICES:-none}; sleep 20"
    return [{"name": "train", "shell": True, "command": script, "meta": {"needs_gpu": True}}]


def _counting() -> list[dict[str, object]]:
    return [
        {"name": "count", "command": [_PYTHON, "-c", _COUNT, "{item}", "{out_json}"]},
        {"name": "report", "type": "non_parallel", "command": [_PYTHON, "-c", _REPORT, "{args_json}"]},
    ]


def _workflow(work: Path, name: str, steps: list[dict[str, object]]) -> Path:
    path = work / f"{name}.json"
    path.write_text(json.dumps({"name": name, "steps": steps}))
    return path


def _list(work: Path, name: str, items: list[str]) -> Path:
    path = work / f"{name}.items"
    path.write_text("".join(f"{item}\n" for item in items))
    return path


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
