"""A batch folder to try the worker in: real processes, real files."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

WORKER = Path(__file__).parents[2] / "runners" / "worker.py"
Event = dict[str, Any]


def interpreters() -> dict[str, str]:
    """Every Python from 3.6 on that runs here, by version, the oldest first."""
    candidates = [
        sys.executable,
        "/usr/bin/python3",
        *map(str, Path("/root/.pyenv/versions").glob("3.*/bin/python")),
    ]
    candidates += [f"{folder}/python3.{minor}" for folder in os.get_exec_path() for minor in range(6, 15)]
    found: dict[tuple[int, ...], str] = {}
    for candidate in candidates:
        try:
            said = subprocess.run(
                [candidate, "-c", "import sys; print(*sys.version_info[:3])"], capture_output=True, timeout=20
            )
        except OSError:
            continue
        version = tuple(map(int, said.stdout.split()))
        if said.returncode == 0 and version >= (3, 6):
            found.setdefault(version, candidate)
    return {".".join(map(str, version)): found[version] for version in sorted(found)}


INTERPRETERS = interpreters()
OLDEST = next(iter(INTERPRETERS.values()))
running_and_oldest = pytest.mark.parametrize(
    "python", dict.fromkeys([sys.executable, OLDEST]), ids=["here", "oldest"]
)


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something to become true; fails the test when it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Lab:
    """One batch: its folder, its worker and what the worker wrote."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        self.python = python
        self.token = f"test-{os.getpid()}-{time.monotonic_ns()}"
        self.environ = {**os.environ, "SLURM_JOB_ID": "", "SLURM_RESTART_COUNT": ""}

    def fill(self, tasks: Iterable[list[str] | dict[str, Any]], **batch: Any) -> None:
        """Write batch.json and tasks.jsonl; a task is an argv or the fields that are to differ."""
        self.folder.mkdir(exist_ok=True)
        settings = {
            "version": 1,
            "batch": self.token,
            "run": "run-1",
            "slots": 2,
            "heartbeat": 2.0,
            "workdir": str(self.folder),
            "env": {"PATH": os.environ["PATH"], "GREETING": "grüezi"},
            "agent": [],
            "grace": 1.0,
            "control_poll": 0.05,
        }
        (self.folder / "batch.json").write_text(json.dumps(settings | batch))
        with (self.folder / "tasks.jsonl").open("w") as file:
            for index, task in enumerate(tasks):
                fields = task if isinstance(task, dict) else {"argv": task}
                whole = {"i": index, "log": str(self.log(index)), "limit": None} | fields
                file.write(json.dumps(whole) + "\n")

    def command(self, verb: str) -> list[str]:
        return [self.python, "-I", "-S", str(WORKER), verb, str(self.folder)]

    def launch(self, *through: str) -> dict[str, Any]:
        """What the worker says to a launch; `through` is a command to start it with."""
        done = subprocess.run(
            [*through, *self.command("launch")], env=self.environ, capture_output=True, timeout=30
        )
        said: dict[str, Any] = json.loads(done.stdout)
        assert done.stdout.count(b"\n") == 1
        assert done.returncode == (1 if "error" in said else 0)
        return said

    def run(self, tasks: Iterable[list[str] | dict[str, Any]], **batch: Any) -> list[Event]:
        """Launch, wait for the end, return the `end` events in the order of the tasks."""
        self.fill(tasks, **batch)
        assert "claimed" in self.launch()
        return self.finish()

    def finish(self, seconds: float = 20.0) -> list[Event]:
        until(lambda: self.of("bye"), seconds)
        return sorted(self.of("end"), key=lambda event: int(event["i"]))

    def parts(self, restart: int = 0) -> list[bytes]:
        """What is in the event file so far, part by part."""
        names = itertools.chain(
            [f"events.{restart}.jsonl"], (f"events.{restart}.{n}.jsonl" for n in itertools.count(1))
        )
        paths = (self.folder / name for name in names)
        return [path.read_bytes() for path in itertools.takewhile(Path.exists, paths)]

    def events(self, restart: int = 0) -> list[Event]:
        """All whole lines so far, checked for gaps."""
        text = b"".join(self.parts(restart))
        whole = text[: text.rfind(b"\n") + 1].splitlines()
        events = [json.loads(line) for line in whole]
        assert [event["s"] for event in events] == list(range(1, len(events) + 1))
        assert max(map(len, whole), default=0) < 4096
        return events

    def of(self, kind: str, restart: int = 0) -> list[Event]:
        return [event for event in self.events(restart) if event["e"] == kind]

    def started(self, index: int) -> int:
        """Wait for a task's start; its pid."""
        until(lambda: any(event["i"] == index for event in self.of("start")))
        return next(int(event["pid"]) for event in self.of("start") if event["i"] == index)

    def coordinator(self) -> int:
        return int(json.loads((self.folder / "claim").read_text())["pid"])

    def agent(self, slot: int) -> int:
        """The pid of the agent that serves a slot now."""
        return next(
            int(e["pid"]) for e in reversed(self.of("slot")) if e["slot"] == slot and e["state"] == "ready"
        )

    def log(self, index: int) -> Path:
        return self.folder / "logs" / f"{index}.log"

    def ask(self, name: str) -> None:
        """Ask for a cancellation the way a runner does."""
        (self.folder / "control" / name).mkdir(parents=True)

    def ran(self) -> list[str]:
        """What tasks made by `recorded` wrote, sorted."""
        try:
            return sorted((self.folder / "ran").read_text().split())
        except FileNotFoundError:
            return []

    def close(self) -> None:
        """End what the test left running."""
        try:
            pid = self.coordinator()
        except FileNotFoundError:
            return
        if lives(pid):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not marked(self.token))


def recorded(index: int, then: str = "") -> list[str]:
    """A task that leaves a line in `ran`, so that a second run of it would show."""
    return ["sh", "-c", f"echo {index} >> ran; {then}"]


def marked(token: str) -> list[int]:
    """The living processes that carry a batch's token in their environment."""
    mark = f"RUNYARD_BATCH={token}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes() and lives(int(entry.name)):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
