"""What the worker does with a task, and what it says about it."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.runners.worker_lab import Lab, lives, marked, running_and_oldest, until

pytestmark = running_and_oldest

ODD_ITEMS = [
    "two words",
    'it\'s "quoted"',
    "line\nbreak",
    "-rf",
    "--",
    "",
    "grüße 试验 🧪",
    "$(touch pwned) `id` ; exit 1 | cat * ? ~",
    "[/] [bold]x[/bold]",
    "\x1b[31mred\x1b]0;title\x07",
    "back\\slash\ttab",
    os.fsdecode(b"latin-1 \xe9"),
]


def test_items_reach_the_command_unharmed(lab: Lab) -> None:
    ends = lab.run([["sh", "-c", 'printf %s "$1"', "sh", item] for item in ODD_ITEMS])
    assert [end["state"] for end in ends] == ["done"] * len(ODD_ITEMS)
    said = [lab.log(index).read_bytes() if item else b"" for index, item in enumerate(ODD_ITEMS)]
    assert said == [os.fsencode(item) for item in ODD_ITEMS]
    assert not (lab.folder / "pwned").exists()


def test_items_reach_the_command_under_the_c_locale(lab: Lab) -> None:
    lab.environ.update(LC_ALL="C", LANG="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    odd = {"argv": ["printf", "%s", "ü 试"], "log": str(lab.folder / "ö" / "é.log")}
    assert lab.run([odd])[0]["state"] == "done"
    assert (lab.folder / "ö" / "é.log").read_text() == "ü 试"


def test_verdicts(lab: Lab) -> None:
    script = lab.folder / "script"
    lab.folder.mkdir()
    (lab.folder / "no_rights").write_text("#!/bin/sh\n")
    programs = {
        "no_interpreter": "#!/nowhere/sh\n",
        "no_shebang": "echo hi\n",
        "script": "#!/bin/sh\nexit 4\n",
    }
    for name, text in programs.items():
        (lab.folder / name).write_text(text)
        (lab.folder / name).chmod(0o755)
    expected = [
        (["true"], "done", 0, None, ""),
        (["sh", "-c", "exit 3"], "failed", 3, None, "exit code 3"),
        (["sh", "-c", "kill -SEGV $$"], "failed", None, "SIGSEGV", "killed by SIGSEGV"),
        (["sh", "-c", "kill -KILL $$"], "failed", None, "SIGKILL", "killed by SIGKILL"),
        (["no-such-command-here"], "failed", None, None, "command not found: no-such-command-here"),
        (["./not-here"], "failed", None, None, "command not found: ./not-here"),
        (["./no_rights"], "failed", None, None, "permission denied: ./no_rights"),
        (["/etc"], "failed", None, None, "permission denied: /etc"),
        (
            ["./no_interpreter"],
            "failed",
            None,
            None,
            "the interpreter in its #! line is missing: ./no_interpreter",
        ),
        (["./no_shebang"], "failed", None, None, "not a program (no #! line?): ./no_shebang"),
        ([str(script)], "failed", 4, None, "exit code 4"),
        (["true", "x" * 200_000], "failed", None, None, "arguments too long: true"),
        (["true", "a\0b"], "failed", None, None, "embedded null byte: true"),
    ]
    ends = lab.run([argv for argv, *_ in expected])
    assert [(e["state"], e["exit"], e["signal"], e["why"]) for e in ends] == [row[1:] for row in expected]
    assert lab.of("bye")[0]["counts"] == {"done": 1, "failed": 12, "cancelled": 0, "left": 0}
    assert {event["i"] for event in lab.of("start")} == {0, 1, 2, 3, 10}


def test_time_limit_also_for_those_who_ignore_it(lab: Lab) -> None:
    stubborn = ["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"]
    polite = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"]
    tasks = [{"argv": argv, "limit": 0.2} for argv in (stubborn, polite)]
    ends = lab.run([*tasks, {"argv": ["true"], "limit": 1e9}], grace=0.3)
    assert [(end["state"], end["why"]) for end in ends[:2]] == [("failed", "time limit of 0.2 s reached")] * 2
    assert ends[2]["state"] == "done"
    assert (ends[0]["signal"], ends[1]["exit"]) == ("SIGKILL", 0)
    assert 0.5 <= ends[0]["wall"] < 3
    assert 0.2 <= ends[1]["wall"] < 3


LOOK = """
import json, os, signal, sys
print(json.dumps({
    "pid": os.getpid(),
    "group": os.getpgrp(),
    "session": os.getsid(0),
    "cwd": os.getcwd(),
    "stdin": os.read(0, 9).decode(),
    "env": dict(os.environ),
    "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "descriptors": len(os.listdir("/proc/self/fd")),
}))
"""


def test_surroundings_of_a_task(lab: Lab) -> None:
    lab.environ["RUNYARD_STRANGER"] = "must not reach a task"
    lab.run([[sys.executable, "-c", LOOK]])
    seen = json.loads(lab.log(0).read_text())
    assert seen["pid"] == seen["group"] == seen["session"] == lab.started(0)
    assert seen["cwd"] == str(lab.folder)
    assert seen["stdin"] == ""
    assert seen["blocked"] == 0
    assert seen["descriptors"] == 4  # 0, 1, 2 and the one that lists them
    added_by_python = {"LC_CTYPE"}
    environ = {name: value for name, value in seen["env"].items() if name not in added_by_python}
    assert environ == {
        "PATH": os.environ["PATH"],
        "GREETING": "grüezi",
        "RUNYARD_RUN": "run-1",
        "RUNYARD_BATCH": lab.token,
        "RUNYARD_TASK": "0",
        "RUNYARD_SLOT": "0",
    }


def test_ignored_signals_are_at_default_again_in_tasks(lab: Lab) -> None:
    lab.fill([["sh", "-c", "grep SigIgn /proc/self/status"]])
    lab.launch("sh", "-c", "trap '' HUP INT TERM USR1 PIPE; exec \"$@\"", "sh")
    lab.finish()
    # Above 31 are the C library's own, which its spawn sets as it likes.
    assert int(lab.log(0).read_text().split()[1], 16) & 0x7FFFFFFF == 0


def test_logs(lab: Lab) -> None:
    blob = bytes(range(256)) * 16 + b"\0" * 4096 + b"\xff\xfe\x1b[2J[/]"
    tasks = [
        ["true"],
        ["sh", "-c", "echo out; echo err >&2"],
        [sys.executable, "-c", f"import sys; sys.stdout.buffer.write({blob!r})"],
        ["sh", "-c", "rm -f logs/3.log"],
    ]
    ends = lab.run(tasks)
    assert [end["log"] for end in ends] == [0, 8, len(blob), 0]
    assert not lab.log(0).exists()
    assert lab.log(1).read_text() == "out\nerr\n"
    assert lab.log(2).read_bytes() == blob


def test_a_large_log_blocks_nothing(lab: Lab) -> None:
    ends = lab.run([["sh", "-c", "head -c 200000000 /dev/zero"], ["true"]])
    assert [end["state"] for end in ends] == ["done", "done"]
    assert ends[0]["log"] == lab.log(0).stat().st_size == 200_000_000
    lab.log(0).unlink()


def test_peak_memory_and_cpu_time(lab: Lab) -> None:
    grab = "import time; x = bytearray(200_000_000)\nwhile time.process_time() < 0.5: pass"
    ends = lab.run([[sys.executable, "-c", grab], ["sleep", "0.3"], [sys.executable, "-c", "pass"]])
    assert ends[0]["rss"] == pytest.approx(200 + ends[2]["rss"], rel=0.15)
    assert 0.5 <= ends[0]["cpu"] < 1.2
    assert ends[1]["cpu"] < 0.1
    assert 0.3 <= ends[1]["wall"] < 2
    assert ends[1]["rss"] < 25


def test_heartbeats_name_what_runs(lab: Lab) -> None:
    grab = "x = bytearray(80_000_000); import time; time.sleep(1.2)"
    lab.run([["true"], ["sh", "-c", f"{sys.executable} -c '{grab}'; true"]], slots=1, heartbeat=0.3)
    beats = lab.of("hb")
    assert len(beats) >= 2
    assert all([[row[0], row[1]] for row in beat["run"]] == [[0, 1]] for beat in beats)
    assert beats[-1]["run"][0][2] > 80
    assert beats[-1]["run"][0][3] >= 0.0


def test_arguments_and_results(lab: Lab) -> None:
    out = lab.folder / "out"
    out.mkdir(parents=True)
    (out / "4.json").write_text('"from an earlier try"')

    def task(index: int, script: str, **more: object) -> dict[str, object]:
        return {"argv": ["sh", "-c", script], "out_path": str(out / f"{index}.json"), **more}

    arguments = {"path": "/x y", "n": [1, None, "ü"]}
    ends = lab.run(
        [
            task(0, "cp args0.json out/0.json", args=arguments, args_path=str(lab.folder / "args0.json")),
            task(1, f"printf '\"%s\"' {'x' * 3000} > out/1.json"),
            task(2, "echo '{' > out/2.json"),
            task(3, "true"),
            task(4, "true"),
            task(5, "echo '{}' > out/5.json; exit 1"),
            task(6, "echo NaN > out/6.json"),
        ]
    )
    assert ends[0]["result"] == arguments
    assert ends[1]["result_path"] == str(out / "1.json")
    assert "result" not in ends[1]
    assert (ends[2]["state"], ends[2]["why"]) == ("failed", "bad result")
    for index in (3, 4, 5):
        assert not {"result", "result_path"} & ends[index].keys()
    assert [end["state"] for end in ends] == ["done", "done", "failed", "done", "done", "failed", "done"]
    assert ends[6]["result_path"] == str(out / "6.json")


def test_what_a_task_leaves_in_its_group_is_ended_and_holds_up_nothing(lab: Lab) -> None:
    ends = lab.run([["sh", "-c", "sleep 50 & sleep 50 & echo $!"], ["sh", "-c", "exit 7"], ["true"]], slots=1)
    assert ends[0]["left"] == 2
    assert ends[0]["state"] == "done"
    assert "left" not in ends[1]
    assert ends[0]["wall"] < 20, "its children sleep for 50 s"
    until(lambda: not marked(lab.token))


def test_what_a_task_puts_into_a_session_of_its_own_lives_on(lab: Lab) -> None:
    ends = lab.run([["sh", "-c", "setsid sleep 50 > /dev/null 2>&1 & sleep 0.2"]])
    assert ends[0]["state"] == "done"
    assert "left" not in ends[0]
    until(lambda: not lives(lab.coordinator()))
    daemon = marked(lab.token)
    assert len(daemon) == 1
    os.kill(daemon[0], 9)


def test_a_log_that_cannot_be_made_fails_that_task_only(lab: Lab) -> None:
    lab.folder.mkdir()
    (lab.folder / "plain").touch()
    ends = lab.run([{"argv": ["true"], "log": str(lab.folder / "plain" / "x.log")}, ["true"]])
    assert [end["state"] for end in ends] == ["failed", "done"]
    assert ends[0]["why"] == "not a directory (log)"


def test_out_of_memory_is_told_from_a_plain_kill(lab: Lab) -> None:
    """In a memory cgroup of our own, where the kernel kills for real."""
    group = make_memory_group(lab.token, 60 << 20)
    try:
        greedy = [sys.executable, "-c", "bytearray(300_000_000)"]
        lab.fill([["sh", "-c", "kill -9 $$"], greedy, ["true"]], slots=1)
        lab.launch("sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh")
        ends = lab.finish()
        until(lambda: not lives(lab.coordinator()))
    finally:
        until(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()
    assert [end["why"] for end in ends] == ["killed by SIGKILL", "out of memory", ""]


def make_memory_group(name: str, limit: int) -> Path:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            group = Path(f"/sys/fs/cgroup/memory{path}/{name}")
            setting = "memory.limit_in_bytes"
        elif not controllers:
            group = Path(f"/sys/fs/cgroup{path}/{name}")
            setting = "memory.max"
        else:
            continue
        try:
            group.mkdir()
            (group / setting).write_text(str(limit))
            return group
        except OSError:
            continue
    pytest.skip("no memory cgroup can be made here")
