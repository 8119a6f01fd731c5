"""Stores as an engine would have left them, made through the Writer: what the dashboard's tests look at.

Times count from `T0`, so that a test with a frozen clock sees the same on every run.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runners.states import State
from runners.store.writer import Change, Writer

T0 = 1_790_000_000.0
"""The moment at which every made-up story is looked at: seconds since the epoch."""

LIVE_TASKS = 1000
"""Tasks of the run that is in the middle."""

HOSTILE = (
    "[/]",
    "[red]x[/red]",
    "\x1b[31mred\x1b[0m",
    "two\nlines",
    "晶片 測試.tif",
    "tab\tand\rreturn",
    "\u202egnp.exe",
    "-rf",
    "{item} $(touch x)",
)
"""Names that have crashed, blanked or recoloured other dashboards."""

_TOO_LONG = "time limit of 60 s reached"

_SIGNALS = {"out of memory": "SIGKILL", "killed by SIGSEGV": "SIGSEGV", _TOO_LONG: "SIGTERM"}
"""What ended a task that failed for this reason."""

WORDS = ("segment", "align", "measure", "stitch", "register", "convert", "count", "denoise")


@dataclass
class Tale:
    """What there is to say of one run."""

    id: str
    name: str
    state: State = State.RUNNING
    items: Sequence[str] = ()
    states: Mapping[int, State] | None = None
    """The state of single tasks; the others are `rest`."""
    rest: State = State.PENDING
    reasons: Mapping[int, str] | None = None
    began: float = 724.0
    """Seconds before `T0` at which its first task started."""
    ended: float | None = None
    """Seconds before `T0` at which it ended; None while it goes on."""
    slots: int = 2
    reason: str = ""
    cancelling: bool = False
    command: Sequence[str] = ("gzip", "-kc", "{item}")
    resource: str = "local"
    profile: str | None = None


def tell(writer: Writer, tale: Tale) -> None:
    """Write one run with its step, batch, tasks and, while it goes on, its slots."""
    token = f"ry-{tale.id}-000-abcdefgh"
    started = T0 - tale.began
    with writer.change() as change:
        change.insert(
            "runs",
            {
                "id": tale.id,
                "name": tale.name,
                "resource": tale.resource,
                "profile": tale.profile,
                "state": tale.state.value,
                "reason": tale.reason,
                "created": started - 2,
                "started": None if tale.state is State.PENDING else started,
                "ended": None if tale.ended is None else T0 - tale.ended,
                "folder": f"/srv/jobs/{tale.id}",
                "workdir": "/srv/data",
                "cancelling": int(tale.cancelling),
                "spec": json.dumps({"workflow": {"name": tale.name, "steps": [_step(tale)]}}),
            },
        )
        change.insert(
            "steps",
            {
                "run": tale.id,
                "position": 0,
                "name": tale.name,
                "type": "parallel",
                "command": shlex.join(tale.command),
                "state": tale.state.value,
                "plan": f"1 batch of {len(tale.items):,} tasks, {tale.slots} at a time: one slot per core.",
            },
        )
        change.add_tasks(tale.id, ((index, 0, item, None, index) for index, item in enumerate(tale.items)))
        if tale.state is not State.PENDING:
            _batch(change, tale, token, started)
            _tasks(change, tale, token, started)
        change.recount(tale.id)


def _step(tale: Tale) -> dict[str, Any]:
    return {"name": tale.name, "type": "parallel", "command": list(tale.command)}


def _batch(change: Change, tale: Tale, token: str, started: float) -> None:
    over = tale.ended is not None
    change.insert(
        "batches",
        {
            "token": token,
            "run": tale.id,
            "step": 0,
            "number": 0,
            "slots": tale.slots,
            "state": tale.state.value,
            "worker_state": "bye" if over else "hello",
            "scheduler_state": "gone" if over else "alive",
            "native_id": "4242.1790000",
            "host": "node-1",
            "folder": f"/srv/jobs/{tale.id}/0_{tale.name}/batches/{token}",
            "created": started - 1,
            "started": started,
            "ended": None if tale.ended is None else T0 - tale.ended,
        },
    )
    if over:
        return
    running = [index for index, state in (tale.states or {}).items() if state is State.RUNNING]
    for slot in range(tale.slots):
        task = running[slot] if slot < len(running) else None
        change.insert(
            "slots",
            {
                "batch": token,
                "slot": slot,
                "run": tale.id,
                "state": "busy" if task is not None else "ready",
                "host": "node-1",
                "pid": 5000 + slot,
                "task": task,
                "since": None if task is None else T0 - 12.0 - slot,
                "rss_mb": None if task is None else 210.0 + 31 * slot,
                "cpu_s": None if task is None else 11.4 + slot,
                "cpu_percent": None if task is None else 98.0 - 7 * slot,
                "heard": T0 - 1,
            },
        )


def _tasks(change: Change, tale: Tale, token: str, started: float) -> None:
    count = max(1, len(tale.items))
    span = (T0 if tale.ended is None else T0 - tale.ended) - started
    for index in range(len(tale.items)):
        state = (tale.states or {}).get(index, tale.rest)
        facts = (
            {"batch": token}
            if state is State.PENDING
            else _facts(tale, token, index, state, started + span * index / count)
        )
        change.update("tasks", {"run": tale.id, "index": index}, facts)


def _facts(tale: Tale, token: str, index: int, state: State, begun: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"state": state.value, "batch": token}
    if state is State.CANCELLED:
        return {**facts, "reason": "cancelled"}
    slot = index % tale.slots
    if state is State.RUNNING:
        return {**facts, "slot": slot, "worker_state": "start", "started": T0 - 12.0 - slot}
    failed = state is State.FAILED
    reason = (tale.reasons or {}).get(index, "exit code 3" if failed else "")
    signal = _SIGNALS.get(reason)
    wall = 60.0 if reason == _TOO_LONG else 1.2 + (index * 7 % 13) / 4
    return {
        **facts,
        "slot": slot,
        "worker_state": state.value,
        "started": begun,
        "ended": begun + wall,
        "exit_code": None if signal else (3 if failed else 0),
        "signal": signal,
        "reason": reason,
        "wall_s": wall,
        "cpu_s": wall * 0.93,
        "max_rss_mb": 180.0 + index * 11 % 90,
        "log_bytes": 2048 if failed else 0,
    }


def files(number: int) -> list[str]:
    """Paths of items."""
    return [f"/srv/data/plate-4/{WORDS[n % len(WORDS)]}/field_{n:04d}.tif" for n in range(number)]


def live(number: int = LIVE_TASKS, ended: int = 812) -> Tale:
    """A run in the middle: some failed, two running, the rest waiting."""
    failed = {97: "exit code 3", 181: "out of memory", 305: "exit code 3", 306: "exit code 3"}
    failed |= {511: _TOO_LONG, 640: "exit code 3", 777: "killed by SIGSEGV"}
    states = dict.fromkeys(range(ended), State.DONE)
    states |= {index: State.FAILED for index in failed if index < ended}
    states |= {ended: State.RUNNING, ended + 1: State.RUNNING}
    command = ("python3", "segment.py", "--channel=nuclei", "{item}", "masks/{stem}.npy")
    return Tale(
        "k3f9a2bc", "segment-plate-4", items=files(number), states=states, reasons=failed, command=command
    )


def typical(writer: Writer) -> None:
    """What somebody sees on a usual day: a run of every state, one of them live."""
    tell(
        writer,
        Tale(
            "7w2mh4ze",
            "measure",
            State.FAILED,
            files(500),
            {13: State.FAILED, 401: State.FAILED},
            State.DONE,
            {13: "exit code 3", 401: "out of memory"},
            began=9_200,
            ended=7_300,
            reason="2 of 500 tasks failed",
            command=("python3", "measure.py", "{item}", "tables/{stem}.csv"),
        ),
    )
    tell(
        writer,
        Tale(
            "c81t5n0d",
            "convert-plate-4",
            State.DONE,
            files(64),
            None,
            State.DONE,
            began=5_000,
            ended=4_984,
            command=("magick", "{item}", "png/{stem}.png"),
        ),
    )
    tell(
        writer,
        Tale(
            "p4v6r9qa",
            "register-all",
            State.CANCELLED,
            files(240),
            dict.fromkeys(range(88), State.DONE),
            State.CANCELLED,
            began=3_900,
            ended=3_700,
            reason="cancelled",
            command=("elastix", "-f", "reference.tif", "-m", "{item}", "-out", "aligned/{stem}"),
        ),
    )
    tell(writer, live())
    tell(
        writer,
        Tale(
            "2fjy8s6e",
            "count-nuclei",
            State.PENDING,
            files(96),
            began=3,
            command=("python3", "count.py", "{item}"),
        ),
    )


def large(writer: Writer, number: int = 20_000) -> None:
    """One run of very many tasks, halfway through."""
    states = dict.fromkeys(range(number // 2), State.DONE)
    states |= {number // 2: State.RUNNING, number // 2 + 1: State.RUNNING}
    tell(writer, Tale("b1gb1gb1", "twenty-thousand", items=files(number), states=states, began=3_600))


def hostile(writer: Writer) -> None:
    """A run for every hostile name, whose items are all of them."""
    for number, name in enumerate(HOSTILE):
        tell(
            writer,
            Tale(
                f"host{number:04d}",
                name,
                State.FAILED,
                HOSTILE,
                {1: State.FAILED},
                State.DONE,
                {1: "exit code 3: \x1b[2J[/]"},
                began=600,
                ended=500,
                reason=f"because of {name}",
                command=("cat", name.replace("{", "{{").replace("}", "}}")),
            ),
        )
