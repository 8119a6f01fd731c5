"""Why a batch ended, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.slurm.evidence import ending, ran_s
from runners.slurm.listings import AccountedJob, QueuedJob
from runners.slurm.notation import JobId
from runners.slurm.states import JOB_STATES

KILLED = b"slurmstepd-c1: error: *** JOB 7 ON c1 CANCELLED AT 2026-11-23T09:31:42%s ***\n"


def queued(state: str | None, **more: Any) -> QueuedJob:
    values: dict[str, Any] = {
        "id": JobId(7),
        "state": state,
        "said": state or "",
        "elapsed_s": 5.0,
        "limit_s": 60.0,
        "nodes": 1,
        "cpus": 1,
        "memory_mb": 100.0,
        "partition": "main",
        "user": "mira",
        "uid": 1001,
        "hosts": "c1",
        "reason": "None",
        "name": "ry-1",
    }
    return QueuedJob(**(values | more))


def accounted(state: str | None, step: str | None = None, **more: Any) -> AccountedJob:
    values: dict[str, Any] = {
        "id": JobId(7, step=step),
        "state": state,
        "said": state or "",
        "exit_code": 0,
        "signal": None,
        "elapsed_s": 5.0,
        "limit_s": None,
        "asked_mb": None,
        "reached_mb": None,
        "hosts": "c2",
        "reason": "",
        "name": "ry-1",
    }
    return AccountedJob(**(values | more))


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("CANCELLED", "cancelled from outside"),
        ("TIMEOUT", "time limit of 0:01:00 of the job reached"),
        ("OUT_OF_MEMORY", "out of memory: asked 100 MB"),
        ("NODE_FAIL", "node failure (c1)"),
        ("BOOT_FAIL", "its nodes did not start (c1)"),
        ("PREEMPTED", "preempted by another job"),
        ("DEADLINE", "its deadline has passed"),
        ("COMPLETED", ""),
        ("FAILED", "its job is FAILED"),
    ],
)
def test_what_squeue_tells(state: str, why: str) -> None:
    assert ending(queued(state), (), b"", begun=True) == (state, why)


@pytest.mark.parametrize(
    ("said", "by"),
    [
        ("CANCELLED by 0", " by root"),
        ("CANCELLED by 1001", " by mira"),
        ("CANCELLED by 1002", " by uid 1002"),
        ("CANCELLED", ""),
        # It has not heard of the end yet.
        ("RUNNING", ""),
    ],
)
def test_who_cancelled_it(said: str, by: str) -> None:
    rows = (accounted("CANCELLED", said=said), accounted("CANCELLED", "batch"))
    for last in (queued("CANCELLED"), queued("RUNNING")):
        told = ending(last, rows, KILLED % b"", begun=True)
        assert told == ("CANCELLED", f"cancelled from outside{by}")


def test_who_cancelled_a_job_that_was_not_seen_in_the_queue() -> None:
    rows = (accounted("CANCELLED", said="CANCELLED by 1001"),)
    assert ending(None, rows, b"", begun=True).why == "cancelled from outside by uid 1001"


def test_what_sacct_tells() -> None:
    rows = [
        accounted("OUT_OF_MEMORY", asked_mb=100.0),
        accounted("OUT_OF_MEMORY", "batch", reached_mb=20.0),
        accounted("FAILED", "0", reached_mb=319.0),
    ]
    assert ending(None, rows, b"", begun=True).why == "out of memory: asked 100 MB, reached 319 MB"
    rows = [accounted("FAILED", signal=9)]
    assert ending(queued("FAILED"), rows, b"", begun=True).why == "its job was killed by signal 9"
    rows = [accounted("FAILED", exit_code=3)]
    assert ending(None, rows, b"", begun=False).why == (
        "its job ended with exit code 3 before its worker had begun"
    )
    # squeue showed it last while it ran: only sacct knows the end.
    assert ending(queued("RUNNING"), [accounted("NODE_FAIL")], b"", begun=True) == (
        "NODE_FAIL",
        "node failure (c1)",
    )


@pytest.mark.parametrize(
    ("due", "state"),
    [
        (b"", "CANCELLED"),
        (b" DUE TO TIME LIMIT", "TIMEOUT"),
        (b" DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS", "NODE_FAIL"),
        (b" DUE TO PREEMPTION", "PREEMPTED"),
        (b" DUE TO JOB REQUEUE", ""),
        (b" DUE TO SOMETHING NEW", ""),
    ],
)
def test_what_the_jobs_own_output_tells(due: bytes, state: str) -> None:
    earlier = KILLED % b" DUE TO JOB REQUEUE"
    assert ending(queued("RUNNING"), (), earlier + KILLED % due, begun=True).state == state


def test_memory_that_slurm_watches_itself() -> None:
    said = b"slurmstepd: error: StepId=2.batch exceeded memory limit (334495744 > 104857600), being killed\n"
    told = ending(queued("FAILED", reason="JobLaunchFailure"), (), said + KILLED % b"", begun=True)
    assert told == ("FAILED", "out of memory: asked 100 MB, reached 319 MB")
    # That of a task is no one else's.
    of_a_task = said.replace(b"2.batch", b"2.0")
    assert ending(queued("CANCELLED"), (), of_a_task, begun=True).why == "cancelled from outside"


def test_what_our_own_script_says() -> None:
    said = b"module: ok\nRunyard: There is no /no/python here; set another. (node c1)\n"
    assert ending(queued("FAILED"), (), said, begun=False) == (
        "FAILED",
        "There is no /no/python here; set another. (node c1)",
    )
    # A worker that has begun speaks for itself; a task may print what it likes.
    assert "its job is FAILED" in ending(queued("FAILED"), (), said, begun=True).why


def test_nothing_is_known() -> None:
    assert ending(None, (), b"", begun=False) == (
        "",
        "its job has left the queue before its worker had begun, and SLURM does not say why",
    )
    told = ending(queued("RUNNING"), (), b"\nbash: x:\x1b[2J not found\n\n", begun=True)
    assert told.state == ""
    assert told.why.startswith("its job has left the queue, and SLURM does not say why; it printed at last: ")
    assert ending(queued("FAILED", reason="JobLaunchFailure"), (), b"", begun=False).why == (
        "its job is FAILED (JobLaunchFailure), and its worker had not begun"
    )


@given(
    st.sampled_from([None, *JOB_STATES]),
    st.sampled_from([None, *JOB_STATES]),
    st.binary(max_size=200),
    st.booleans(),
)
def test_there_is_always_a_short_line(
    shown: str | None, kept: str | None, printed: bytes, begun: bool
) -> None:
    state, why = ending(queued(shown), [accounted(kept)], printed, begun=begun)
    assert state in ("", *JOB_STATES)
    assert "\n" not in why
    assert len(why) < 500
    assert why or (state == "COMPLETED" and begun)


def test_for_how_long_it_had_run() -> None:
    kept = [accounted("FAILED", "batch", elapsed_s=2.0), accounted("FAILED", elapsed_s=3.0)]
    assert ran_s(queued("FAILED"), kept) == 5.0
    assert ran_s(queued("FAILED", elapsed_s=None), kept) == 3.0
    # What was seen while it ran is less than what it came to.
    assert ran_s(queued("RUNNING"), kept) == 3.0
    assert ran_s(None, kept) == 3.0
    assert ran_s(queued("COMPLETING"), [accounted("RUNNING")]) is None
    assert ran_s(queued(None), ()) is None
