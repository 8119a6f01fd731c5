"""Why tasks and batches have failed: what the store keeps, as a sentence, and what to do."""

from __future__ import annotations

import argparse
import math
import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.explanation import About, Explanation, Need
from runners.launching import task_needs
from runners.remedies import PLAIN, explain_failure
from runners.requests import TaskNeeds
from tui.verbs import retry

RETRY = argparse.ArgumentParser(exit_on_error=False)
retry.configure(RETRY)

SET = "runyard resource set alps jobs_runner_config.default_slurm_config"
AGAIN = "runyard retry 3k9m"
ABOUT = About(job="123", resource="alps", run="3k9m", limit_s=7200.0, slurm=True)


def told(reason: str, about: About = ABOUT, *says: str) -> Explanation:
    explained = explain_failure(reason, about, says)
    assert explained is not None
    return explained


@pytest.mark.parametrize(
    ("reason", "cause", "ends"),
    [
        ("exit code 3", PLAIN, "See what it printed: runyard logs 3k9m"),
        ("exit code 126", "not executable", "if it is a script."),
        ("exit code 127", "command not found", "extra_lines of the resource)."),
        ("exit code 137", "SIGKILL", "see what it printed."),
        ("killed by SIGKILL", "SIGKILL", ": runyard logs 3k9m"),
        ("killed by SIGSEGV", "SIGSEGV", ": runyard logs 3k9m"),
        ("killed by SIGRTMIN+3", "SIGRTMIN+3", ": runyard logs 3k9m"),
        ("command not found: convert", "command not found", "extra_lines of the resource)."),
        ("permission denied: ./x", "not executable", "if it is a script."),
        ("permission denied (log)", "folder", "has room."),
        ("no space left on device (arguments)", "disk full", ": df -h"),
        ("disk quota exceeded (log)", "quota", ": quota -s"),
        ("the interpreter in its #! line is missing: ./x", "interpreter", "from Windows."),
        ("not started: the folder to work in cannot be entered: no: '/x'", "workdir", "(--workdir)."),
        ("time limit of 30 s reached", "task time limit", f"for each task: {AGAIN} --time 0:01:00"),
        ("bad result", "result", ": runyard logs 3k9m"),
        ("worker died", "worker died", f"Retry: {AGAIN}"),
        ("worker died before this task started", "worker died", f"Retry: {AGAIN}"),
        ("time limit of 2:00:00 of the job reached", "time limit", f": {AGAIN} --time 4:00:00"),
        ("not started: time limit", "time limit", f": {AGAIN} --time 4:00:00"),
        ("node failure (c1)", "node failure", f"Retry: {AGAIN}"),
        ("its nodes did not start (c1)", "boot failure", f"Retry: {AGAIN}"),
        ("preempted by another job", "preempted", f"Retry: {AGAIN}"),
        ("its deadline has passed", "deadline", f"and retry: {AGAIN}"),
        ("cancelled from outside", "cancelled from outside", f"Ask who did, and why. Retry: {AGAIN}"),
        ("cancelled from outside by root", "cancelled from outside", f"it was you. Retry: {AGAIN}"),
        ("not started: cancelled from outside by mira", "cancelled from outside", f"Retry: {AGAIN}"),
        (
            "SLURM refuses the batch: Invalid partition name specified.",
            "partition",
            f": {SET}.partition=PARTITION",
        ),
        ("SLURM refuses the batch: Something new.", "refused", ": runyard resource check alps"),
        (
            "There is no /x here; set the Python of the resource to one that nodes have. (node c1)",
            "python missing",
            f"set alps jobs_slurm_python_worker=/usr/bin/python3 && {AGAIN}",
        ),
        ("The folder /x can't be made. (node c1)", "folder", "and retry."),
        ("worker.py can't be written. (node c1)", "folder", "and retry."),
        (
            "its job was killed by signal 9",
            "job killed",
            "sacct -j 123 -o JobID,State,ExitCode,Reason,MaxRSS",
        ),
        ("its job ended with exit code 2 before its worker had begun", "job exit code", "of the resource."),
        (
            "its job ended with exit code 2",
            "job exit code",
            "sacct -j 123 -o JobID,State,ExitCode,Reason,MaxRSS",
        ),
        (
            "its job ended with exit code 2 before its worker had begun; it printed at last: slurmstepd: "
            "error: execve(): bad interpreter(/bin/zsh): No such file or directory",
            "interpreter",
            f"{SET}.shebang_line=#!/bin/sh' && {AGAIN}".replace("set alps ", "set alps '"),
        ),
        (
            "its job is FAILED (NonZeroExitCode), and its worker had not begun; it printed at last: x",
            "job exit code",
            "shebang_line and extra_lines of the resource.",
        ),
        ("its job is FAILED (JobLaunchFailure)", "JobLaunchFailure", AGAIN),
        ("its job is FAILED; it printed at last: x", "job state", ": scontrol show job 123"),
        ("its job has left the queue, and SLURM does not say why", "lost", f"Retry: {AGAIN}"),
        ("slot agent died (exit code 1)", "slots", "sacct -j 123 -o JobID,State,ExitCode,Reason,MaxRSS"),
        ("The site takes no more jobs of yours at the moment: QOSX.", "full", ": squeue --me"),
    ],
)
def test_what_to_do(reason: str, cause: str, ends: str) -> None:
    explained = told(reason)
    assert explained.cause == cause
    assert explained.remedy.endswith(ends)
    assert explained.sentence.endswith(".") and explained.sentence[0].isupper()
    assert "{0}" not in explained.sentence


@pytest.mark.parametrize(("by", "who"), [(" by root", "root"), (" by uid 7", "uid 7"), ("", "its owner or")])
def test_who_cancelled_it_is_named(by: str, who: str) -> None:
    sentence = told(f"cancelled from outside{by}").sentence
    assert sentence.startswith(f"The job was cancelled outside of Runyard, by {who}")


@pytest.mark.parametrize("reason", ["", "cancelled", "exit code 99999", "something else"])
def test_what_says_nothing_known_is_not_explained(reason: str) -> None:
    assert explain_failure(reason, ABOUT) is None


@pytest.mark.parametrize(
    ("reason", "slots", "peak", "mem"),
    [
        # Held back at the limit: what it reached says little of what it needs, so never less than the double.
        ("out of memory: asked 200 MB, reached 189 MB", 1, None, "448M"),
        ("out of memory: asked 2 GB, reached 1.9 GB", 1, None, "4G"),
        ("out of memory: asked 100 MB, reached 312 MB", 1, None, "512M"),
        # What a job asks for is for all its slots.
        ("out of memory: asked 2 GB, reached 3.1 GB", 4, None, "5G"),
        ("out of memory: asked 2 GB", 4, None, "1G"),
        ("out of memory: reached 189 MB", 1, None, "384M"),
        ("out of memory", 1, 3000.0, "6G"),
        ("out of memory", 1, None, "MEMORY"),
    ],
)
def test_how_much_memory_to_ask_for(reason: str, slots: int, peak: float | None, mem: str) -> None:
    about = About(resource="alps", run="3k9m", slurm=True, slots=slots, peak_mb=peak)
    explained = told(reason, about)
    assert explained.remedy.startswith("Try more memory; how much is not known: ")
    assert explained.remedy.endswith(f": {AGAIN} --mem {mem}")


@pytest.mark.parametrize(
    "asked",
    [
        "9999999999999 TB",
        "1.2.3 GB",
        ". GB",
        pytest.param(f"{'9' * 400} MB", id="digits"),
        "9007199254740 GB",
        "0 MB",
    ],
)
def test_memory_that_nobody_could_ask_for_is_not_made_more(asked: str) -> None:
    explained = told(f"out of memory: asked {asked}", replace(ABOUT, peak_mb=math.inf))
    assert (explained.cause, explained.amount) == ("out of memory", 0.0)
    assert explained.remedy.endswith(f": {AGAIN} --mem MEMORY")


@pytest.mark.parametrize(
    "limit", ["inf", "nan", "1e400", "-5", "x", "9007199254740992", pytest.param("9" * 400, id="digits")]
)
def test_time_that_nobody_could_ask_for_is_not_made_more(limit: str) -> None:
    explained = told(f"time limit of {limit} s reached")
    assert (explained.cause, explained.amount) == ("task time limit", 0.0)
    assert explained.remedy.endswith(f": {AGAIN} --time TIME")


@pytest.mark.parametrize(
    ("own", "mem"),
    [
        ({"mem": 600}, "2G"),
        ({"mem": 100}, "256M"),
        ({}, "384M"),
        ({"mem": "lots"}, "384M"),
        ({"mem": -1}, "384M"),
    ],
)
def test_where_nobody_says_what_was_asked_the_step_does(own: dict[str, object], mem: str) -> None:
    about = About(run="3k9m", slurm=True, peak_mb=170.0, own=own)
    assert told("out of memory", about).remedy.endswith(f": {AGAIN} --mem {mem}")


def test_a_time_limit_that_several_tasks_share_is_raised_in_the_resource() -> None:
    shared = About(resource="alps", run="3k9m", limit_s=7200.0, slurm=True, in_turn=5)
    explained = told("time limit of the job reached", shared)
    assert explained.remedy.endswith(f" {SET}.time=4:00:00 && {AGAIN}")
    assert (explained.of, explained.field) == ("resource", "jobs_runner_config.default_slurm_config.time")
    # Unless it was made of theirs.
    explained = told("time limit of the job reached", replace(shared, own={"time": 1400}))
    assert explained.remedy.endswith(f": {AGAIN} --time 0:48:00")
    assert (explained.of, explained.field) == ("", "")


def test_on_this_machine_fewer_run_at_a_time_where_each_says_what_it_needs() -> None:
    about = About(resource="local", run="3k9m", peak_mb=1200.0)
    explained = told("out of memory", about)
    assert explained.remedy.startswith("Say what each needs, so fewer run: ")
    assert explained.remedy.endswith(f": {AGAIN} --mem 3G")


def test_of_a_run_that_is_not_known_no_command_is_made_up() -> None:
    for reason in (
        "out of memory: asked 2 GB",
        "time limit of 30 s reached",
        "time limit of the job reached",
    ):
        end = "each task." if "30" in reason else "how much is not known."
        assert told(reason, About(slurm=True)).remedy.endswith(end)


def test_without_a_limit_that_is_known_none_is_made_up() -> None:
    for limit in (None, -1.0, float("inf")):
        about = About(resource="alps", limit_s=limit)
        explained = told("time limit of the job reached", about)
        assert explained.sentence == "The time limit of the job was reached."
        assert explained.remedy.endswith("is not known.")
        shared = replace(about, in_turn=2)
        assert told("time limit of the job reached", shared).remedy.endswith(f": {SET}.time=TIME")


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("sh: 1: foo: not found", "command not found"),
        ("bash: line 3: foo: command not found", "command not found"),
        ("tar: x: No space left on device", "disk full"),
        ("OSError: [Errno 122] Disk quota exceeded: '/x'", "quota"),
        ("ModuleNotFoundError: No module named 'numpy'", "python module"),
        ("MemoryError", "no memory given"),
        ("RuntimeError: CUDA out of memory. Tried to allocate", "GPU memory"),
        ("./x: error while loading shared libraries: libfoo.so: cannot open", "library"),
        ("cat: x: Permission denied", "permission"),
    ],
)
def test_what_a_program_printed_tells_more_than_its_exit_code(line: str, cause: str) -> None:
    assert told("exit code 1", ABOUT, "before", line, "").cause == cause
    # Where the reason itself is known, it goes before.
    assert told("command not found: x", ABOUT, line).cause == "command not found"


def test_what_a_program_prints_is_not_always_a_cause() -> None:
    assert told("exit code 1", ABOUT, "The file was found.", "denied: permission").cause == PLAIN


def test_a_refusal_that_is_not_known_says_so() -> None:
    explained = told("SLURM refuses the batch: \x1b[2J.")
    assert (explained.known, explained.need) == (False, Need.NEVER)
    assert explained.sentence.isprintable()


NUMBERS = st.one_of(
    st.from_regex(r"[\d.]{1,30}", fullmatch=True),
    st.floats().map(str),
    st.integers(min_value=0).map(str),
    st.integers(300, 500).map(lambda length: "9" * length),
)
REASONS = st.one_of(
    st.text(),
    st.builds("time limit of {} s reached".format, NUMBERS),
    st.builds(
        "out of memory: asked {} {}, reached {} {}".format,
        *(NUMBERS, st.sampled_from(["MB", "gb", "TB"])) * 2,
    ),
)


@given(REASONS, st.one_of(st.none(), st.floats()), st.integers(), st.booleans())
def test_a_retry_that_is_advised_is_one_that_retry_takes(
    reason: str, peak: float | None, own: int, slurm: bool
) -> None:
    about = About(run="3k9m", peak_mb=peak, own={"mem": own}, slurm=slurm)
    explained = explain_failure(reason, about)
    _, found, options = ("", "", "") if explained is None else explained.remedy.partition(f": {AGAIN} ")
    if found and options not in ("--mem MEMORY", "--time TIME"):
        args = RETRY.parse_args(["3k9m", *shlex.split(options)])
        assert task_needs(cpus=args.cpus, mem=args.mem, time=args.time) != TaskNeeds()


@given(st.text(), st.lists(st.text()))
def test_any_text_is_explained_in_printable_words(text: str, says: list[str]) -> None:
    about = About(job=text, resource=text, run=text, slurm=True)
    for before in ("", "command not found: ", "node failure (", "SLURM refuses the batch: ", "its job is "):
        explained = explain_failure(before + text, about, says)
        if explained is not None:
            assert (explained.sentence + explained.remedy + explained.cause).isprintable()
