"""What is told of one task: item, command, what its signal means, its last words; and how that fits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from runners.batches import LogChunk
from runners.explanation import About
from runners.remedies import explain_failure
from runners.states import State
from runners.store.rows import Counts, StepRow, TaskRow
from tui.commands_run import CommandsRun
from tui.item_words import ALL_ITEMS, item_words
from tui.last_words import LINES, last_words
from tui.signals import in_words
from tui.text import width_of
from tui.widgets.columns import Column, place
from tui.widgets.line_view import Piece
from tui.widgets.paragraphs import Facts, Paragraph, Passage, fits, laid_out
from tui.widgets.remedy import remedy_of

TASK = TaskRow(
    run="r",
    index=7,
    step=0,
    item="P1",
    batch="b",
    slot=0,
    state=State.FAILED,
    worker_state="failed",
    exit_code=1,
    signal=None,
    reason="exit code 1",
    started=1.0,
    ended=2.0,
    max_rss_mb=1.0,
    cpu_s=1.0,
    wall_s=1.0,
    log_bytes=5,
    left=0,
    result=None,
    fields=None,
    place=3,
    cancelling=False,
    revision=1,
)
STEPS = [
    StepRow("r", n, name, kind, "c", State.PENDING, "", Counts(), 1)
    for n, (name, kind) in enumerate([("count", "parallel"), ("report", "non_parallel")])
]


def test_an_item_of_a_table_has_all_its_columns() -> None:
    assert item_words(TASK, STEPS) == "P1"
    assert item_words(replace(TASK, fields='{"plate": "P1", "well": "A01"}'), STEPS) == "P1  A01"
    assert item_words(replace(TASK, step=1, item=""), STEPS) == ALL_ITEMS


@pytest.mark.parametrize(
    ("step", "task", "command"),
    [
        ({"command": ["cat", "{item}", "{index}"]}, TASK, "cat P1 3"),
        ({"command": "cat {item}", "shell": True}, replace(TASK, item="a 'b'"), r"cat 'a '\''b'\'''"),
        (
            {"command": ["cat", "{well}"]},
            replace(TASK, fields=json.dumps({"plate": "P1", "well": "A 01"})),
            "cat 'A 01'",
        ),
        ({"command": ["cat", "{args_json}"]}, TASK, "cat /runs/r/0_count/par-000002-0000007-args.json"),
        (
            {"command": ["cat", "{out_json}"], "type": "non_parallel"},
            replace(TASK, item=""),
            "cat /runs/r/0_count/non_par--metadiff.json",
        ),
    ],
)
def test_the_command_is_the_one_that_ran(step: dict[str, Any], task: TaskRow, command: str) -> None:
    workflow = {"name": "w", "steps": [{"name": "count", **step}]}
    assert CommandsRun(workflow, "/runs/r").of(task, 2) == command


def test_a_command_that_cannot_be_told_is_none() -> None:
    workflow = {"name": "w", "steps": [{"name": "count", "command": "cat {well}"}]}
    assert CommandsRun(workflow, "/runs/r").of(TASK, 0) is None
    assert CommandsRun(workflow, "/runs/r").of(replace(TASK, step=1), 0) is None
    assert CommandsRun({"of": "another version"}, "/runs/r").of(TASK, 0) is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("killed by SIGXFSZ", "killed by SIGXFSZ: a file grew over its size limit (ulimit -f)"),
        ("killed by SIGKILL", "killed by SIGKILL: killed from outside"),
        ("killed by SIGUSR1", "killed by SIGUSR1"),
        ("exit code 3", "exit code 3"),
        ("", ""),
    ],
)
def test_signals_are_explained(reason: str, words: str) -> None:
    assert in_words(reason) == words


async def test_the_last_words_are_the_last_lines_that_say_something() -> None:
    log = b"".join(b"line %d\n" % n for n in range(5000)) + b"\x1b[31mSyntaxError: no\x1b[0m  \n\n \n"

    async def read(offset: int, limit: int) -> LogChunk:
        assert offset < 0 < limit < 100_000
        return LogChunk(log[offset:], len(log) + offset, len(log))

    words = await last_words(read)
    assert len(words) == LINES
    assert words[-2:] == ("line 4999", "SyntaxError: no")


def texts(lines: list[list[Piece]]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


ITEM = Passage([("item ", "muted")], ["/srv/data/plate-4/segment/field_0181.tif"], keep="end")
FACTS = Facts([[("wall ", "muted"), ("0.2 s", None)], [("CPU ", "muted"), ("0.1 s", None)]])
SAYS = Passage([("says ", "muted")], ["Traceback:", "  line 3", "SyntaxError: no"], which="last")
COMMAND = Passage([("command ", "muted")], ["gzip -kc /srv/data/plate-4/segment/field_0181.tif"])


def test_each_paragraph_has_a_line_where_there_are_few() -> None:
    assert texts(laid_out([ITEM, FACTS, SAYS, COMMAND], 30, 4)) == [
        "item …4/segment/field_0181.tif",
        "wall 0.2 s   CPU 0.1 s",
        "says SyntaxError: no",
        "command gzip -kc /srv/data/pl…",
    ]


def test_what_is_over_goes_to_those_that_need_it() -> None:
    assert texts(laid_out([ITEM, FACTS, SAYS, COMMAND], 30, 20)) == [
        "item /srv/data/plate-4/segment",
        "     /field_0181.tif",
        "wall 0.2 s   CPU 0.1 s",
        "says Traceback:",
        "       line 3",
        "     SyntaxError: no",
        "command gzip -kc",
        "        /srv/data/plate-4/segm",
        "        ent/field_0181.tif",
    ]


def test_what_has_a_least_gets_it_before_those_behind_it() -> None:
    fix = Passage([("fix ", "muted")], ["Ask for more memory: runyard set mem=5G"], least=2)
    assert texts(laid_out([FACTS, fix, COMMAND], 30, 3)) == [
        "wall 0.2 s   CPU 0.1 s",
        "fix Ask for more memory:",
        "    runyard set mem=5G",
    ]
    assert texts(laid_out([FACTS, fix, COMMAND], 30, 2)) == [
        "wall 0.2 s   CPU 0.1 s",
        "fix Ask for more memory: runy…",
    ]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        # What stands there already is not told once more.
        ("out of memory: asked 1 GB", "Try more memory; how much is not known."),
        ("exit code 127", "A command of it is not found (exit code 127). Give its whole path"),
    ],
)
def test_what_to_do_with_what_is_news(reason: str, text: str) -> None:
    told = explain_failure(reason, About(slurm=True))
    (passage,) = remedy_of(told, reason)
    assert passage.texts[0].startswith(text)
    assert remedy_of(None, reason) == []


def test_lines_that_have_no_room_are_joined() -> None:
    script = Passage([("command ", "muted")], ["set -e", "gzip -kc x", "echo {}"])
    assert texts(laid_out([script], 40, 1)) == ["command set -e␊gzip -kc x␊echo {}"]
    assert texts(laid_out([script], 40, 3)) == ["command set -e", "        gzip -kc x", "        echo {}"]


def test_what_fits_is_known() -> None:
    told: list[Paragraph] = [ITEM, FACTS, SAYS, COMMAND]
    assert fits(told, 30, 9) and not fits(told, 30, 8)
    # A fact is not broken: one that is too wide is cut however many lines there are.
    assert fits([FACTS], 10, 2) and not fits([FACTS], 9, 20)
    assert fits([], 10, 0)


@pytest.mark.parametrize("height", range(10))
@pytest.mark.parametrize("width", [12, 20, 33, 200])
def test_it_never_takes_more_than_there_is(width: int, height: int) -> None:
    lines = laid_out([ITEM, FACTS, SAYS, COMMAND, Passage([("x ", None)], ["晶片 測試" * 9])], width, height)
    assert len(lines) <= height
    assert all(width_of(text) <= width for text in texts(lines))


def test_facts_that_have_no_room_are_left_out_whole() -> None:
    assert texts(laid_out([FACTS], 15, 1)) == ["wall 0.2 s"]
    assert texts(laid_out([FACTS], 15, 2)) == ["wall 0.2 s", "CPU 0.1 s"]
    assert laid_out([Facts([])], 15, 2) == []


def test_a_column_takes_no_more_than_it_wants_and_hidden_ones_take_nothing() -> None:
    columns = [
        Column("a", "a", None, least=10),
        Column("b", "b", None, least=5, most=8),
        Column("c", "c", 7),
    ]
    assert [at.width for at in place(columns, 60)] == [60 - 8 - 7 - 2, 8, 7]
    assert [(at.column, at.width) for at in place(columns, 30, {"c"})] == [(0, 21), (1, 8)]


def test_what_a_column_does_not_need_is_for_the_others() -> None:
    columns = [
        Column("n", "n", 4),
        Column("item", "item", None, least=20),
        Column("why", "why", None, least=10, most=16, priority=1),
        Column("cpu", "CPU", 6, priority=2),
    ]

    def widths(width: int, item: int) -> dict[str, int]:
        return {columns[at.column].key: at.width for at in place(columns, width, (), {"item": item})}

    # It is not for columns that matter less, before the other has what it wants.
    assert widths(40, 99) == {"n": 4, "item": 22, "why": 12}
    assert widths(40, 1) == {"n": 4, "item": 5, "why": 22, "cpu": 6}
    assert widths(33, 1) == {"n": 4, "item": 5, "why": 22}
    assert widths(33, 12) == {"n": 4, "item": 12, "why": 15}
    # What nobody wants must be somewhere.
    assert widths(100, 30) == {"n": 4, "item": 30, "why": 57, "cpu": 6}
    assert widths(100, 99) == {"n": 4, "item": 71, "why": 16, "cpu": 6}
    assert widths(24, 1) == {"n": 4, "item": 5, "why": 13}
    assert widths(20, 1) == {"n": 4, "item": 15}
