"""The commands that only look at runs, on stores as an engine leaves them."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.config.home import Home
from runners.engine.lock import Lock, held
from runners.states import State
from runners.store.writer import Writer
from tests.conftest import end_engine
from tests.tui import stores
from tests.tui.cli_lab import RUNYARD, answer, on_pipes, on_terminal, refusal, runyard
from tests.tui.stores import HOSTILE, Tale
from tui import output
from tui.cli import main
from tui.output import Column
from tui.verbs import load

FAILED = Tale(
    id="aaaa1111",
    name="align",
    state=State.FAILED,
    items=["one", "two", "three", "four"],
    states={1: State.FAILED, 2: State.FAILED},
    rest=State.DONE,
    reasons={1: "exit code 3", 2: "exit code 3"},
    ended=10.0,
)
HARMFUL = Tale(
    id="aaab2222",
    name="x\x1b[31m [/]",
    state=State.DONE,
    items=HOSTILE,
    rest=State.DONE,
    ended=5.0,
    command="cat \x1b]0;t\x07 {item}",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home without an engine; one that is started is ended."""
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path))
    monkeypatch.setenv("RUNYARD_ENGINE_IDLE", "30")
    home = Home.at(tmp_path)
    home.make()
    yield home
    end_engine(home)


@pytest.fixture
def engine(home: Home) -> Iterator[None]:
    """What looks like an engine at work, as far as others can tell."""
    lock = Lock.take(home.lock)
    yield
    lock.release()


@pytest.fixture
def writer(home: Home) -> Writer:
    writer = Writer.open(home.database)
    for tale in (FAILED, HARMFUL):
        stores.tell(writer, tale)
    return writer


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_looking_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path / "nothing"))
    assert "Nothing has been run yet" in runyard("ps").stdout
    assert answer("ps", "--json") == []
    assert "nothing has been run yet" in refusal("show", "x", code=3)
    assert answer("engine", "status", "--json") == {"running": False}
    assert "No engine" in runyard("engine", "stop").stdout
    assert list(tmp_path.iterdir()) == []


def live(home: Home) -> None:
    """A run that goes on."""
    writer = Writer.open(home.database)
    stores.tell(writer, Tale(id="live0000", name="live", items=["x"], states={0: State.RUNNING}))
    writer.close()


@pytest.mark.parametrize("words", [["ps"], ["show", "live"], ["tasks", "live"], ["events", "live", "--json"]])
def test_looking_at_what_goes_on_starts_an_engine_where_there_is_none(home: Home, words: list[str]) -> None:
    live(home)
    looked = runyard(*words)
    assert looked.stderr.startswith(
        "runyard: No engine was running, so one has been started; what follows is"
    )
    assert looked.stderr.count("\n") == 1
    assert looked.stdout
    until = time.monotonic() + 60
    while not held(home.lock):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert runyard("ps").stderr == ""


def test_looking_goes_without_an_engine_that_can_t_be_started(home: Home) -> None:
    live(home)
    home.engine_log.mkdir()
    looked = runyard("ps")
    assert "and none can be started (Is a directory); what follows is as of 20" in looked.stderr
    assert "live0000" in looked.stdout


def test_plain_ps_needs_no_heavy_library(home: Home) -> None:
    live(home)
    script = (
        "import sys; from tui.cli import main; code = main(['ps']);"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert "live0000" in done.stdout
    # Also where it has to start an engine.
    note, names = done.stderr.splitlines()
    assert "one has been started" in note
    loaded = names.split()
    assert "tui" in loaded
    assert not {"textual", "asyncssh", "pydantic", "asyncio"}.intersection(loaded)


def test_ps(writer: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "ps").splitlines()
    assert lines[0].split() == ["run", "state", "name", "resource", "done", "failed", "elapsed"]
    assert lines[1].startswith("aaab2222  ✓ done    x␛[31m [/]  local")
    assert lines[2].split() == ["aaaa1111", "✗", "failed", "align", "local", "2/4", "2", "0:11:54"]
    objects = json.loads(printed(capsys, "ps", "--json"))
    assert [run["id"] for run in objects] == ["aaab2222", "aaaa1111"]
    assert objects[0]["name"] == "x\x1b[31m [/]"


@pytest.mark.usefixtures("engine")
def test_ps_lists_what_goes_on_and_the_newest_of_the_others(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer.open(home.database)
    stores.tell(writer, Tale(id="live0000", name="live", items=["x"], states={0: State.RUNNING}))
    for number in range(25):
        stores.tell(
            writer,
            Tale(id=f"over{number:04}", name="o", state=State.DONE, rest=State.DONE, items=["x"], ended=1.0),
        )
    writer.close()
    shown = [run["id"] for run in json.loads(printed(capsys, "ps", "--json"))]
    assert shown == [f"over{number:04}" for number in range(24, 4, -1)] + ["live0000"]
    assert printed(capsys, "ps").splitlines()[-1] == "and 5 older ones: runyard ps --all"
    assert len(json.loads(printed(capsys, "ps", "--all", "--json"))) == 26


def test_show(writer: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "show", "aaaa")
    assert "state      ✗ failed" in text
    assert "tasks      2 done, 2 failed" in text
    assert "  2 × exit code 3 (first: task 1)" in text
    step, batch = (line.split() for line in text.splitlines() if "✗ failed  " in line)
    assert step[:6] == ["1", "align", "✗", "failed", "2/4", "2"]
    assert batch[:6] == ["0", "✗", "failed", "2/4", "2", "2"]
    shown = json.loads(printed(capsys, "show", "align", "--json"))
    assert shown["id"] == "aaaa1111"
    assert shown["state"] == "failed"
    assert shown["counts"] == {
        "pending": 0,
        "running": 0,
        "done": 2,
        "failed": 2,
        "cancelled": 0,
        "unknown": 0,
    }
    assert [step["name"] for step in shown["steps"]] == ["align"]
    assert [batch["slots"] for batch in shown["batches"]] == [2]


def test_tasks(writer: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    objects = json.loads(printed(capsys, "tasks", "aaaa", "--json"))
    assert [(task["index"], task["item"], task["state"]) for task in objects] == [
        (0, "one", "done"),
        (1, "two", "failed"),
        (2, "three", "failed"),
        (3, "four", "done"),
    ]
    wanted = "index item state exit_code signal reason slot batch started ended max_rss_mb".split()
    assert set(wanted) <= set(objects[0])
    failed = json.loads(printed(capsys, "tasks", "aaaa", "--state", "failed", "--json"))
    assert [task["index"] for task in failed] == [1, 2]
    assert "has no task that is running" in printed(capsys, "tasks", "aaaa", "--state", "running")


@pytest.mark.parametrize("words", [["ps"], ["show", "aaab"], ["tasks", "aaab"], ["events", "aaab"]])
def test_nothing_from_outside_reaches_the_terminal_as_it_is(
    writer: Writer, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    text = printed(capsys, *words)
    assert not [character for character in text if character != "\n" and not character.isprintable()]
    json.loads(printed(capsys, *words, "--json"))


def test_hostile_items_are_shown_as_typed(writer: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "tasks", "aaab")
    assert "[/]" in text
    assert "[red]x[/red]" in text
    assert "two␊lines" in text
    assert [task["item"] for task in json.loads(printed(capsys, "tasks", "aaab", "--json"))] == list(HOSTILE)


def test_a_table_for_a_program_is_not_cut_and_one_long_text_moves_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    columns = [Column("a"), Column("b", stretches=True), Column("c", "right")]
    output.table(columns, [("1", "x" * 5000, "2"), ("10", "short", "20")])
    title, long, short = capsys.readouterr().out.splitlines()
    assert long == f"1   {'x' * 5000}   2"
    assert short == f"10  {'short':<40}  20"
    assert title == f"a   {'b':<40}   c"
    output.table(columns, [("1", "xxxxxx", "2")])
    assert capsys.readouterr().out.splitlines() == ["a  b       c", "1  xxxxxx  2"]


@pytest.mark.parametrize("words", [["ps"], ["tasks", "long"]])
def test_tables_fit_into_80_columns(home: Home, words: list[str]) -> None:
    writer = Writer.open(home.database)
    items = ["/a/very/long/path/" * 20 + "end.tif", "晶片" * 60]
    tale = Tale(
        id="long0000",
        name="n" * 90,
        state=State.FAILED,
        items=items,
        rest=State.FAILED,
        reasons={0: "r" * 90},
        ended=1.0,
    )
    stores.tell(writer, tale)
    writer.close()
    lines = on_terminal(*words).splitlines()
    assert len(lines) >= 2
    assert max(map(len, lines)) <= 80
    assert "…" in lines[1]
    # A program gets it all.
    if words[0] == "tasks":
        assert items[0] in runyard(*words).stdout


def test_a_run_that_is_not_there(writer: Writer) -> None:
    assert refusal("show", "zzz", code=3).startswith("There is no run 'zzz'")
    sentence = refusal("tasks", "aaa", code=3)
    assert re.fullmatch(
        r"'aaa' may mean 2 runs \(aaab2222 done, launched 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d; "
        r"aaaa1111 failed, launched .*\): give more of the id\.",
        sentence,
    )
    assert "its tasks are 0 to 3" in refusal("cancel", "aaaa", "--task", "9", code=3)
    assert refusal("logs", "aaaa", "4", code=3).startswith("Run aaaa1111 has no task 4")


def test_what_has_ended_can_t_be_cancelled(writer: Writer) -> None:
    assert "has ended already (failed)" in refusal("cancel", "aaaa")
    assert "Task 0 of run aaaa1111 has ended already (done)" in refusal("cancel", "aaaa", "--task", "0")


@pytest.mark.usefixtures("engine")
def test_a_reader_that_leaves_is_no_trouble(home: Home) -> None:
    writer = Writer.open(home.database)
    stores.tell(writer, Tale(id="many0000", name="many", items=[f"item {n}" for n in range(20_000)]))
    writer.close()
    script = f"{RUNYARD} tasks many --json | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True)
    first, code = done.stdout.splitlines()
    assert json.loads(first.removeprefix("[").removesuffix(","))["index"] == 0
    assert code == "141"
    assert done.stderr == ""


@pytest.mark.parametrize(("where", "code"), [(">/dev/full", 4), (">&-", 0), (">&- 2>&-", 0)])
def test_output_that_can_t_be_written_is_no_defect(writer: Writer, where: str, code: int) -> None:
    done = subprocess.run(["sh", "-c", f"{RUNYARD} ps {where}"], capture_output=True, text=True, timeout=30)
    assert done.returncode == code
    assert done.stderr == (
        "runyard: The output can't be written (No space left on device).\n" if code else ""
    )


def test_a_store_that_is_none_is_one_sentence(home: Home) -> None:
    home.database.write_bytes(b"this is no database" * 100)
    assert str(home.database) in refusal("ps", code=4)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["pss"], "There is no command 'pss'; did you mean ps?"),
        (["show"], "the following arguments are required: RUN; `runyard show --help`"),
        (["ps", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["--nonsense"], "unrecognized arguments: --nonsense; `runyard --help`"),
        (["tasks", "x", "--state", "sleepy"], "invalid choice: 'sleepy'"),
        (["\x1b[31m"], "There is no command '\\x1b[31m'"),
        ([], "The dashboard needs a terminal"),
        (["demo"], "needs a terminal"),
    ],
)
def test_words_that_mean_nothing(home: Home, words: list[str], reason: str) -> None:
    assert reason in refusal(*words)


def test_help_has_an_example_for_every_command(home: Home) -> None:
    done = on_pipes("--help")
    assert done.returncode == 0
    text = done.stdout
    assert "exit codes:" in text
    for line in text[text.index("commands") :].splitlines()[1:]:
        if not line.startswith("  "):
            break
        name = line.split()[0]
        parser = argparse.ArgumentParser(
            prog=f"runyard {name}", formatter_class=argparse.RawDescriptionHelpFormatter
        )
        load(name).configure(parser)
        assert f"  runyard {name}" in parser.format_help().partition("examples:")[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--version") == "runyard 0.1.0\n"
