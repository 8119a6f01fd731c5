"""Reasons of one cause are told once, everywhere: with the span of what they measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from runners.config.home import Home
from runners.states import State
from runners.store.writer import Writer
from tests.tui import stores
from tests.tui.cli_lab import answer, runyard
from tests.tui.stage import make_home, on_stage, sees
from tui.alike import alike

RUN = "aaaa1111"
AGAIN = f"runyard retry {RUN} --mem 576M"

REACHED = {index: f"out of memory: asked 100 MB, reached {105 + 60 * index} MB" for index in range(5)}
"""The reasons of the tasks that failed: 105 to 345 MB were reached."""


def greedy(writer: Writer) -> None:
    """A run whose tasks need more memory than they had, each another amount."""
    stores.tell(
        writer,
        stores.Tale(
            RUN,
            "align",
            State.FAILED,
            stores.files(6),
            dict.fromkeys(REACHED, State.FAILED),
            State.DONE,
            REACHED,
            ended=60.0,
        ),
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = make_home(tmp_path, greedy)
    monkeypatch.setenv("RUNYARD_HOME", str(home.state.parent))
    return home


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([], []),
        (["exit code 3", "exit code 4", "exit code 4"], [("exit code 4", 2, 1), ("exit code 3", 1, 0)]),
        (["out of memory: asked 1 GB"] * 2, [("out of memory: asked 1 GB", 2, 0)]),
        (
            ["x", "out of memory: asked 1 GB, reached 1.2 GB", "out of memory: asked 1 GB, reached 900 MB"],
            [("out of memory: asked 1 GB, reached 900 MB to 1.2 GB", 2, 1), ("x", 1, 0)],
        ),
        (
            # Of some it is known how much, of others that it was not enough.
            ["out of memory", "out of memory: asked 1 GB", "out of memory: asked 2 GB, reached 3 GB"],
            [("out of memory: asked 1 to 2 GB, reached 3 GB", 3, 0)],
        ),
        (
            ["no: x: asked 1 MB", "x: asked 1 MB"],
            [("no: x: asked 1 MB", 1, 0), ("x: asked 1 MB", 1, 1)],
        ),
        # Nobody's own words are taken for an amount.
        (["asked 1 MB", "asked 2 MB"], [("asked 1 MB", 1, 0), ("asked 2 MB", 1, 1)]),
    ],
)
def test_what_texts_say(texts: Sequence[str], told: Sequence[tuple[str, int, int]]) -> None:
    assert [tuple(each) for each in alike(texts)] == told


async def test_what_is_offered_for_one_task_is_what_the_whole_run_needs(home: Home) -> None:
    async with on_stage(home, size=(160, 40), run=RUN) as stage:
        await sees(stage, "✗ task 0 failed", f"fix Say what each needs, so fewer run: {AGAIN}")


async def test_what_is_offered_for_a_batch_is_what_the_whole_run_needs(home: Home) -> None:
    writer = Writer.open(home.database)
    with writer.change() as change:
        change.update("batches", {"run": RUN}, {"reason": "out of memory: asked 200 MB"})
    writer.close()
    async with on_stage(home, size=(160, 40), run=RUN) as stage:
        await stage.press("2")
        # It has two slots: for itself it would be offered 256M.
        await sees(stage, "✗ batch 0 failed", f"fix Say what each needs, so fewer run: {AGAIN}")


@pytest.mark.usefixtures("home")
def test_every_command_that_is_offered_has_the_same_amount() -> None:
    for words in (("show", RUN), ("tasks", RUN)):
        (offered,) = (line for line in runyard(*words).stdout.splitlines() if "Say what each needs" in line)
        assert offered.endswith(AGAIN)
    assert {task["remedy"].endswith(AGAIN) for task in answer("tasks", RUN, "--json") if task["why"]} == {
        True
    }
    assert answer("show", RUN, "--json")["remedy"].endswith(AGAIN)


async def test_the_head_tells_a_cause_once(home: Home) -> None:
    async with on_stage(home, size=(110, 30), run=RUN) as stage:
        await sees(stage, " 5 tasks failed: out of memory: asked 100 MB, reached 105 to 345 MB\n")


@pytest.mark.usefixtures("home")
def test_show_tells_a_cause_once() -> None:
    lines = runyard("show", RUN).stdout.splitlines()
    failed = lines.index("failed:")
    once = "out of memory: asked 100 MB, reached 105 to 345 MB (first: task 0)"
    assert lines[failed + 1 : failed + 3] == [f"  5 × {once}", ""]
    assert "  5 tasks: The memory was not enough: asked 100 MB, reached 105 to 345 MB." in lines
