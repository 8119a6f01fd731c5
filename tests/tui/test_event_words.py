"""The history of a run in sentences."""

from __future__ import annotations

from typing import Any

import pytest

from runners.store.rows import EventRow
from tui.verbs.event_words import told


@pytest.mark.parametrize(
    ("kind", "detail", "sentence"),
    [
        ("launched", {"tasks": 1200}, "launched with 1,200 tasks"),
        ("started", {"host": "vm", "native_id": "7.9"}, "a batch was handed to vm"),
        (
            "hello",
            {"host": "vm", "pid": 7, "python": "3.11.2", "slots": 1, "tasks": 2, "notes": ["no memory"]},
            "the worker is up on vm (pid 7, Python 3.11.2): 1 slot for 2 tasks; no memory",
        ),
        ("slot", {"slot": 1, "state": "ready", "pid": 9, "why": ""}, "slot 1 is ready"),
        ("slot", {"slot": 1, "state": "lost", "why": "killed"}, "slot 1 was lost: killed"),
        ("slot", {"slot": 1, "state": "later"}, "slot 1 later"),
        ("start", {"i": 3, "slot": 0}, "task 3 started in slot 0"),
        ("end", {"i": 3, "state": "done", "why": "done", "wall": 0.21}, "task 3 done after 0.2 s"),
        ("end", {"i": 3, "state": "cancelled", "why": "cancelled", "wall": None}, "task 3 cancelled"),
        (
            "end",
            {"i": 3, "state": "failed", "why": "killed by SIGKILL", "wall": 64.0},
            "task 3 failed after 0:01:04: killed by SIGKILL: killed from outside",
        ),
        ("left", {"i": [[4, 4]], "why": "cancelled"}, "task 4 did not start: cancelled"),
        ("left", {"i": [[4, 9], [11, 11]], "why": "x"}, "tasks 4 to 9, 11 did not start: x"),
        ("bye", {"why": "done", "counts": {"done": 2, "failed": 0}}, "the worker is through: 2 done"),
        (
            "bye",
            {"why": "cancelled", "counts": {"left": 2}},
            "the worker is through (cancelled): 2 not started",
        ),
        ("bye", {"why": "done", "counts": 7}, "the worker is through: nothing was run"),
        ("lost", {"why": "worker died"}, "the batch is lost: worker died"),
        ("refused", {"why": "no room"}, "the batch was not started: no room"),
        ("cancel", {}, "the run is to be cancelled"),
        ("cancel", {"task": 3}, "cancel task 3"),
        ("ended", {"state": "failed"}, "the run has ended: failed"),
        ("corrupt", {"line": "{"}, "a line of the worker can't be read: {"),
        ("later", {"a": 1, "b": "two words"}, 'later a=1 b="two words"'),
    ],
)
def test_an_event_is_a_sentence(kind: str, detail: dict[str, Any], sentence: str) -> None:
    assert told(EventRow(1, "run", None, 0.0, kind, detail)) == sentence
