"""The commands that run work, with a real engine and real processes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sysconfig
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import pytest

from runners.config.home import Home
from runners.engine import asking
from runners.store.reader import Reader
from tests.tui.cli_lab import LIMIT_S, RUNYARD, answer, on_terminal, refusal, runyard


@pytest.fixture(autouse=True)
def work(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the commands are given in."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def words(work: Path, *names: str) -> str:
    """A file of items."""
    path = work / "items.txt"
    path.write_text("".join(f"{name}\n" for name in names))
    return str(path)


def until(run: str, state: str) -> None:
    """Wait until one task of *run* is in that state."""
    end = time.monotonic() + LIMIT_S
    while not answer("show", run, "--json")["counts"][state]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_every_file_of_the_standard_library(work: Path) -> None:
    library = sysconfig.get_path("stdlib")
    # Down to r, which leaves out site-packages: as many files as a few seconds allow.
    found = subprocess.run(
        ["find", library, "-path", f"{library}/[a-r]*.py"],
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_S,
    ).stdout.splitlines()
    patterns = [f"{library}/[a-r]*.py", f"{library}/[a-r]*/**/*.py"]
    answered = answer("run", "--items", *patterns, "--wait", "--json", "--", "gzip", "-kc", "{item}")
    assert answered["state"] == "done"
    assert answered["counts"]["done"] == len(found) > 100
    tasks = answer("tasks", answered["run"], "--json")
    assert Counter(task["item"] for task in tasks) == Counter(found)
    log = runyard("logs", answered["run"], "7").raw
    unpacked = subprocess.run(["gzip", "-dc"], input=log, capture_output=True, check=True, timeout=10).stdout
    assert unpacked == Path(tasks[7]["item"]).read_bytes()


def test_a_run_is_followed_from_its_launch_to_its_end(work: Path) -> None:
    (work / "a b.txt").write_text("x")
    (work / "-c.txt").write_text("x")
    launched = runyard("run", "--name", "mine", "--items", "*.txt", "--", "echo", "{stem}", "{index}").stdout
    run = launched.split()[1]
    assert launched.splitlines()[0] == f"Run {run} (mine): 2 tasks on local."
    assert f"runyard wait {run}" in launched
    waited = runyard("wait", run[:5]).stdout
    assert waited.startswith(f"✓ done  run {run}: 2 done in 0.")
    assert runyard("logs", run, "0").stdout == "-c 0\n"
    assert runyard("logs", run, "1").stdout == "a b 1\n"
    kinds = [event["kind"] for event in answer("events", run, "--json")]
    assert kinds[0] == "launched"
    assert kinds.count("end") == 2
    assert kinds[-1] == "ended"
    told = [line[21:] for line in runyard("events", run).stdout.splitlines()]
    assert told[0] == "launched with 2 tasks"
    assert any(line.startswith("task 0 done after 0.") for line in told)
    assert told[-2:] == ["the worker is through: 2 done", "the run has ended: done"]
    followed = runyard("events", run, "-f", "--json").stdout.splitlines()
    assert [json.loads(line)["kind"] for line in followed] == kinds


def test_the_exit_code_tells_whether_the_work_succeeded(work: Path) -> None:
    items = words(work, "0", "3", "0")
    done = runyard(
        "run", "--items-from", items, "--wait", "--", "sh", "-c", "echo says $0; exit $0", "{item}", code=1
    )
    run = done.stdout.split()[1]
    assert f"✗ failed  run {run}: 2 done, 1 failed" in done.stdout
    assert f", runyard retry {run} runs them again." in runyard("wait", run, code=1).stdout
    (failed,) = answer("tasks", run, "--state", "failed", "--json")
    assert (failed["index"], failed["item"], failed["exit_code"], failed["reason"]) == (
        1,
        "3",
        3,
        "exit code 3",
    )
    # Without a number: the only failed task's whole log.
    assert runyard("logs", run).stdout == "says 3\n"
    retried = answer("retry", run, "--wait", "--json", code=1)
    assert retried["counts"]["failed"] == 1
    assert answer("show", retried["run"], "--json")["retry_of"] == run


def test_a_retry_is_given_more(work: Path) -> None:
    items = words(work, "1", "2")
    launch = ["run", "--items-from", items, "--time", "1s", "--mem", "100M", "--wait", "--json"]
    script = 'test "$0" = 1 || exec sleep 60'
    run = answer(*launch, "--", "sh", "-c", script, "{item}", code=1)["run"]
    (late,) = answer("tasks", run, "--state", "failed", "--json")
    assert late["remedy"].endswith(f": runyard retry {run} --time 0:00:02")
    words_of_remedy = late["remedy"].rpartition(": runyard ")[2].split()
    again = answer(*words_of_remedy, "--mem", "300M", "--cpus", "1", "--wait", "--json", code=1)["run"]
    (late,) = answer("tasks", again, "--json")
    assert late["reason"] == "time limit of 2 s reached"
    assert late["remedy"].endswith(f": runyard retry {again} --time 0:00:04")
    for told in (runyard("wait", again, code=1), runyard("show", again)):
        assert told.stdout.endswith(f", runyard retry {again} --time 0:00:04 runs them again.\n")
    with closing(Reader.open(Home.from_environment().database)) as store:
        meta = store.launch_spec(again)["workflow"]["steps"][0]["meta"]
    assert (meta["time"], meta["mem"], meta["cpus_per_task"]) == (2, 300, 1)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--mem", "lots", "mem 'lots' must be memory"),
        ("--time", "0", "time '0' must be a time above 0"),
        ("--cpus", "0", "cpus 0 must be 1 or more."),
    ],
)
def test_what_a_retry_is_given_is_checked_as_that_of_a_run(
    work: Path, option: str, value: str, sentence: str
) -> None:
    answer("run", "--wait", "--json", "--", "false", code=1)
    assert refusal("retry", "last", option, value).startswith(sentence)
    assert refusal("run", option, value, "--", "false").startswith(sentence)
    assert len(answer("ps", "--json")) == 1


def test_the_ends_of_the_logs_of_all_that_failed(work: Path) -> None:
    items = words(work, "1", "2")
    script = "seq 2000; exit $0"
    run = answer(
        "run", "--items-from", items, "--wait", "--json", "--", "sh", "-c", script, "{item}", code=1
    )["run"]
    text = runyard("logs", run).stdout
    assert "==> task 0  1: exit code 1 <==\n[the first " in text
    assert "==> task 1  2: exit code 2 <==\n[the first " in text
    assert text.count("\n2000\n") == 2
    assert "\n1\n" not in text
    assert "name a task" in refusal("logs", run, "-f")


def test_a_log_reaches_a_program_as_it_is_and_a_terminal_unharmful(work: Path) -> None:
    script = r"printf '\033[31mred\033[0m \033]0;title\007\000\377\n'"
    run = answer("run", "--wait", "--json", "--", "sh", "-c", script)["run"]
    assert runyard("logs", run).raw == b"\x1b[31mred\x1b[0m \x1b]0;title\x07\0\xff\n"
    assert on_terminal("logs", run) == "\x1b[31mred\x1b[0m ␛]0;title␇␀�\n\x1b[0m"


def test_a_log_is_followed_to_its_end(work: Path) -> None:
    script = "for n in 1 2 3; do echo $n; sleep 0.3; done; printf last"
    run = answer("run", "--json", "--", "sh", "-c", script)["run"]
    assert runyard("logs", run, "-f").stdout == "1\n2\n3\nlast"


def test_a_task_that_said_nothing_has_no_log(work: Path) -> None:
    run = answer("run", "--wait", "--json", "--", "true")["run"]
    done = runyard("logs", run)
    assert done.stdout == ""
    assert done.stderr == "runyard: task 0 has printed nothing\n"


def test_items_from_standard_input(work: Path) -> None:
    answered = answer(
        "run", "--items-from", "-", "-0", "--wait", "--json", "--", "echo", "{item}", stdin=b"a\nb\0-n\0"
    )
    assert [task["item"] for task in answer("tasks", answered["run"], "--json")] == ["a\nb", "-n"]
    assert runyard("logs", answered["run"], "0").stdout == "a\nb\n"


def test_a_shell_line_gets_items_as_values(work: Path) -> None:
    items = words(work, "$(touch hacked)", "; touch hacked", "'", '"', "a  b")
    line = "printf %s {item} | wc -c > {index}.count"
    answered = answer("run", "--items-from", items, "--shell", "--wait", "--json", "--", line)
    assert answered["counts"]["done"] == 5
    counts = [int((work / f"{index}.count").read_text()) for index in range(5)]
    assert counts == [15, 14, 1, 1, 4]
    assert not (work / "hacked").exists()


def test_a_workflow_runs_its_steps_in_order(work: Path) -> None:
    (work / "t.csv").write_text("plate,well\nP1,A1\nP2,B2\n")
    flow = {
        "name": "two",
        "steps": [
            {"name": "each", "command": "cp {args_json} {well}.json", "args": {"sigma": 2}},
            {
                "name": "all",
                "type": "non_parallel",
                "command": "cp {args_json} all.json && cp all.json {out_json}",
                "shell": True,
            },
        ],
    }
    (work / "flow.json").write_text(json.dumps(flow))
    answered = answer("run", "flow.json", "--dataset", "t.csv", "--wait", "--json")
    assert answered["counts"]["done"] == 3
    assert json.loads((work / "B2.json").read_text()) == {"plate": "P2", "well": "B2", "sigma": 2}
    assert json.loads((work / "all.json").read_text()) == {"items": ["P1", "P2"]}
    assert [step["name"] for step in answer("show", answered["run"], "--json")["steps"]] == ["each", "all"]
    results = [task["result"] for task in answer("tasks", answered["run"], "--json")]
    assert results == [None, None, {"items": ["P1", "P2"]}]


def test_one_task_and_then_the_run_is_cancelled(work: Path) -> None:
    items = words(work, "1", "2", "3")
    run = answer("run", "--items-from", items, "--json", "--", "sleep", "30", "{item}")["run"]
    until(run, "running")
    assert "Task 0" in runyard("cancel", run, "--task", "0").stdout
    until(run, "cancelled")
    assert answer("show", run, "--json")["state"] == "running"
    assert f"runyard wait {run}" in runyard("cancel", run).stdout
    ended = answer("wait", run, "--json", code=1)
    assert ended["state"] == "cancelled"
    assert ended["counts"]["cancelled"] == 3
    assert "nothing to cancel" in refusal("cancel", run)


def test_interrupting_the_wait_leaves_the_run_alone(work: Path) -> None:
    process = subprocess.Popen(
        [RUNYARD, "run", "--wait", "--", "sleep", "1.5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    run = process.stdout.readline().split()[1]
    until(run, "running")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert f"run {run} goes on" in told
    assert "Traceback" not in told
    assert answer("wait", run, "--json")["state"] == "done"


def test_waiting_starts_an_engine_that_was_killed(work: Path) -> None:
    run = answer("run", "--json", "--", "sleep", "1")["run"]
    until(run, "running")
    os.kill(answer("engine", "status", "--json")["pid"], signal.SIGKILL)
    assert answer("wait", run, "--json")["state"] == "done"


def test_the_engine_is_looked_at_and_stopped(work: Path) -> None:
    runyard("run", "--wait", "--", "true")
    status = answer("engine", "status", "--json")
    assert status["running"] is True
    assert f"pid {status['pid']} on" in runyard("engine", "status").stdout
    assert "has stopped" in runyard("engine", "stop").stdout
    assert answer("engine", "status", "--json") == {"running": False}


def test_secrets_stay_here_unless_they_are_exported(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "t0k")
    monkeypatch.setenv("HARMLESS", "h")
    script = "echo $MY_TOKEN-$HARMLESS-$RUNYARD_HOME"
    done = runyard("run", "--wait", "--json", "--", "sh", "-c", script)
    assert "MY_TOKEN" in done.stderr
    assert runyard("logs", json.loads(done.stdout)["run"]).stdout == "-h-\n"
    done = runyard("run", "--export", "MY_TOKEN", "--wait", "--json", "--", "sh", "-c", script)
    assert "MY_TOKEN" not in done.stderr
    assert runyard("logs", json.loads(done.stdout)["run"]).stdout == "t0k-h-\n"


def test_a_plan_runs_nothing(home: Home, work: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (work / name).touch()
    arguments = ["--items", "*.txt", "--mem", "1G", "--time", "90s", "--", "wc", "{item}"]
    plan = answer("plan", "--json", *arguments)
    (step,) = plan["steps"]
    assert (step["tasks"], step["batches"], step["tasks_per_batch"], step["slots_per_batch"]) == (3, 1, 3, 2)
    assert (step["mem_mb_per_batch"], step["time_s"], step["branch"]) == (2000, 90, "resource")
    assert step["command"] == ["wc", "a.txt"]
    assert any("does not enforce memory" in warning for warning in plan["warnings"])
    text = runyard("plan", *arguments).stdout
    assert "first command     wc a.txt" in text
    assert "limit per task    0:01:30" in text
    assert f"why               {step['reason']}\n" in text
    text = runyard("plan", "--shell", "--items", "*.txt", "--", "wc {item} | sort > {stem}").stdout
    assert "first command    wc 'a.txt' | sort > 'a'\n" in text
    assert not home.database.exists()


def test_launching_20000_items_returns_before_any_is_done(work: Path) -> None:
    items = words(work, *(f"item {number}" for number in range(20_000)))
    command = ["sh", "-c", 'while [ ! -e "$1" ]; do sleep 0.05; done', "sh", str(work / "gate"), "{item}"]
    run = answer("run", "--items-from", items, "--json", "--", *command)["run"]
    counts = answer("show", run, "--json")["counts"]
    runyard("cancel", run)
    assert counts["pending"] + counts["running"] == 20_000


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["run"], "There is nothing to run"),
        (["run", "--"], "There is nothing to run"),
        (["run", "gzip", "x"], "A command goes behind -- (`runyard run -- gzip x`)"),
        (["run", "--items", "*.tif", "--", "wc", "{item}"], "No file matches '*.tif'"),
        (["run", "--items-from", "-", "--", "wc", "{item}"], "standard input holds no items"),
        (["run", "--", "wc", "{item}"], "and there are no items"),
        (["run", "--items-from", "/dev/null", "--", "wc"], "/dev/null"),
        (["run", "--", "nonesuch-1"], "There is no command 'nonesuch-1'"),
        (["run", "--slots", "0", "--", "true"], "slots 0 must be 1 or more"),
        (["run", "--cpus", "x", "--", "true"], "argument --cpus: invalid int value: 'x'"),
        (["run", "flow.json"], "No such file"),
        (
            ["run", "--items", "*.csv", "flow.json"],
            "put a workflow before it (`runyard run flow.json --items",
        ),
        (["plan", "--resource", "nonesuch", "--", "true"], "There is no resource named nonesuch"),
        (["retry", "last"], "nothing has been run yet"),
    ],
)
def test_bad_input_leaves_nothing_behind(home: Home, words: list[str], reason: str) -> None:
    sentence = refusal(*words, code=3 if "nonesuch" in words or words[0] == "retry" else 2)
    assert reason in sentence
    assert not home.database.exists()
    assert list(home.jobs.iterdir()) == []


def test_a_home_that_can_t_be_made_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path / "file" / "home"))
    sentence = refusal("run", "--", "true")
    assert "Cannot make the folder" in sentence
    assert "RUNYARD_HOME" in sentence


def test_a_closed_standard_input_holds_no_items_and_is_no_trouble_else() -> None:
    def with_none(*more: str) -> subprocess.CompletedProcess[str]:
        command = shlex.join([RUNYARD, "run", "--wait", *more, "--", "true", "{item}"])
        return subprocess.run(["sh", "-c", f"{command} <&-"], capture_output=True, text=True, timeout=LIMIT_S)

    refused = with_none("--items-from", "-")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "runyard: standard input holds no items.\n"
    done = with_none("--items", "/")
    assert done.returncode == 0, done.stderr


def test_a_current_folder_that_is_gone_is_one_sentence(work: Path) -> None:
    work.rmdir()
    assert refusal("run", "--", "true") == "The current folder is not there any more; go to another one."


@pytest.mark.parametrize("too_late", [True, False])
def test_ctrl_c_in_the_middle_of_a_launch_says_what_was_launched(
    monkeypatch: pytest.MonkeyPatch, too_late: bool
) -> None:
    whole = asking.ask

    async def interrupted(*arguments: Any, **more: Any) -> NoReturn:
        if too_late:
            await whole(*arguments, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(asking, "ask", interrupted)
    told = runyard("run", "--", "true", code=130)
    runs = [run["id"] for run in answer("ps", "--json")]
    assert told.stdout == ""
    assert [f"run {run} was launched all the same; `runyard cancel {run}` ends it." for run in runs] == [
        line.removeprefix("runyard: ") for line in told.stderr.splitlines() if "launched" in line
    ]
    assert len(runs) == too_late


def test_waiting_ends_when_the_store_is_removed(home: Home) -> None:
    run = answer("run", "--json", "--", "sleep", "30")["run"]
    until(run, "running")
    process = subprocess.Popen([RUNYARD, "wait", run], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # It has the store open.
    while not any(os.path.samefile(file, home.database) for file in open_files(process.pid)):
        time.sleep(0.02)
    for file in home.state.glob("runyard.db*"):
        file.unlink()
    told = process.communicate(timeout=LIMIT_S)[1].decode()
    assert process.returncode == 4
    assert told == f"runyard: The store '{home.database}' has been removed or replaced meanwhile.\n"


def open_files(pid: int) -> list[Path]:
    """The regular files that a process has open."""
    return [file for file in Path(f"/proc/{pid}/fd").iterdir() if file.is_file()]
