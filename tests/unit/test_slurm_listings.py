"""Answers of squeue and sacct, with the names that people give their jobs."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runners.slurm.listings import (
    new_mark,
    read_sacct,
    read_squeue,
    sacct_arguments,
    squeue_arguments,
)
from runners.slurm.notation import JobId

MARK = "0a1b2c3d"

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


def squeue_row(job: int, reason: str, name: str) -> str:
    """A row as squeue prints it: our format with its fields filled in."""
    (form,) = (word for word in squeue_arguments(MARK) if word.startswith("--format="))
    row = form.removeprefix("--format=")
    values = {"T": "RUNNING", "M": "1:05", "l": "UNLIMITED", "D": "1", "C": "8", "m": "4G", "P": "main"}
    for letter, value in {**values, "i": str(job), "u": "alice", "U": "1001", "N": "c1"}.items():
        row = row.replace(f"%{letter}", value)
    return row.replace("%r", reason.replace("%j", "")).replace("%j", name) + "\n"


def sacct_row(job: str, reason: str, name: str, **more: str) -> str:
    """A row as sacct prints it with --parsable: the delimiter ends it, too."""
    given_as = {"State": "FAILED", "ExitCode": "0:9", "Elapsed": "00:00:05", **more}
    (form,) = (word for word in sacct_arguments(MARK) if word.startswith("--format="))
    cells = {**given_as, "JobIDRaw": job, "Reason": reason, "JobName": name}
    return "".join(cells.get(field, "") + f"@{MARK}" for field in form[9:].split(",")) + "\n"


def test_a_job_in_the_queue() -> None:
    listing = read_squeue(squeue_row(7, "None", "a|b c"), MARK)
    (job,) = listing.rows
    assert (listing.unreadable, listing.noise) == ((), ())
    assert (job.id, job.state, job.elapsed_s, job.limit_s) == (JobId(7), "RUNNING", 65, math.inf)
    assert (job.nodes, job.cpus, job.memory_mb, job.partition) == (1, 8, 4096, "main")
    assert (job.user, job.uid, job.hosts, job.reason, job.name) == ("alice", 1001, "c1", "None", "a|b c")


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5), st.text(max_size=20))
@example([("Priority", f"x\n@{MARK[:-1]}|9|RUNNING"), ("(a|b)", "[/]\x1b[2J")], "Welcome!\nCLUSTER: x\n")
def test_no_name_and_no_banner_shifts_a_column(texts: list[tuple[str, str]], banner: str) -> None:
    rows = [squeue_row(number + 1, reason, name) for number, (reason, name) in enumerate(texts)]
    listing = read_squeue(f"{banner}\n{''.join(rows)}{banner}", MARK)
    assert listing.unreadable == ()
    assert [(job.id.job, job.state, job.name) for job in listing.rows] == [
        (number + 1, "RUNNING", name) for number, (_, name) in enumerate(texts)
    ]
    assert [job.reason for job in listing.rows] == [reason.replace("%j", "") for reason, _ in texts]
    assert len(listing.noise) == 2 * len([line for line in banner.splitlines() if line.strip()])


@given(st.integers(min_value=0))
def test_an_answer_that_is_cut_off_loses_no_row_silently(cut: int) -> None:
    whole = squeue_row(1, "None", "a") + squeue_row(2, "None", "b")
    listing = read_squeue(whole[: cut % len(whole)], MARK)
    begun = whole[: cut % len(whole)].count(f"@{MARK}|")
    assert len(listing.rows) + len(listing.unreadable) == begun


def test_a_row_that_is_none_is_given_back() -> None:
    good = squeue_row(1, "None", "a")
    bad = good.replace("|1|RUNNING", "|one|RUNNING", 1).replace("@0a1b2c3d|1|", "@0a1b2c3d|one|")
    short = f"@{MARK}|2|RUNNING@{MARK}:name@{MARK}.\n"
    listing = read_squeue(bad + good + short, MARK)
    assert [job.id.job for job in listing.rows] == [1]
    assert [row.split("|")[0] for row in listing.unreadable] == ["one", "2"]


def test_an_unknown_state_is_a_row_with_its_word() -> None:
    (job,) = read_squeue(squeue_row(1, "", "a").replace("RUNNING", "DREAMING"), MARK).rows
    assert (job.state, job.said) == (None, "DREAMING")


def test_an_accounted_job_and_its_step() -> None:
    text = sacct_row("7", "None", "a", State="CANCELLED by 1000", Timelimit="UNLIMITED", ReqMem="100M")
    text += sacct_row("7.0", "", "agent", State="OUT_OF_MEMORY", ExitCode="0:125", MaxRSS="326656K")
    job, step = read_sacct("banner\n" + text, MARK).rows
    assert (job.state, job.said, job.limit_s) == ("CANCELLED", "CANCELLED by 1000", math.inf)
    assert (job.exit_code, job.signal, job.asked_mb, job.reached_mb) == (0, 9, 100, None)
    assert (step.id, step.state, step.signal) == (JobId(7, step="0"), "OUT_OF_MEMORY", 125)
    assert (step.reached_mb, step.elapsed_s, step.name) == (319, 5, "agent")


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
@example([("", "a\n\n7|8\n"), ("x", "\n")])
def test_no_name_shifts_a_column_of_sacct(texts: list[tuple[str, str]]) -> None:
    rows = [sacct_row(str(number + 1), reason, name) for number, (reason, name) in enumerate(texts)]
    listing = read_sacct("".join(rows), MARK)
    assert (listing.unreadable, listing.noise) == ((), ())
    assert [(job.id.job, job.reason, job.name) for job in listing.rows] == [
        (number + 1, *both) for number, both in enumerate(texts)
    ]


@pytest.mark.parametrize("spoil", ["", "x\ny", "7"])
def test_a_broken_row_of_sacct_spoils_no_other(spoil: str) -> None:
    first, second = sacct_row("1", "", "a"), sacct_row("2", "", "b")
    broken = first.replace(f"@{MARK}", spoil, 3)
    listing = read_sacct(broken + second, MARK)
    assert [job.id.job for job in listing.rows] == [2]
    assert len(listing.unreadable) == 1


def test_rows_of_sacct_that_are_none() -> None:
    whole = sacct_row("1", "", "a")
    listing = read_sacct(whole.replace("1@", "one@", 1) + whole[:-12], MARK)
    assert (listing.rows, len(listing.unreadable)) == ((), 2)


def test_marks_differ() -> None:
    assert len({new_mark() for _ in range(50)}) == 50
