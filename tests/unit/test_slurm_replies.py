"""What sbatch answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.slurm.replies import Answer, SbatchReply, read_sbatch

FAILED = "sbatch: error: Batch job submission failed: "
POLICY = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"


@pytest.mark.parametrize(
    ("out", "job", "cluster"),
    [("123\n", "123", ""), ("123;uzh-2.main\n", "123", "uzh-2.main"), ("4294967295", "4294967295", "")],
)
def test_an_id(out: str, job: str, cluster: str) -> None:
    assert read_sbatch(0, out, "") == SbatchReply(Answer.ACCEPTED, job, cluster)


def test_a_pause_before_the_id_is_no_refusal() -> None:
    err = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n"
    reply = read_sbatch(0, "7\n", err)
    assert (reply.answer, reply.job, reply.said) == (Answer.ACCEPTED, "7", err.strip())


@pytest.mark.parametrize(
    "out", ["", "Welcome!\n123\n", "123\n124\n", "123;", "123;a b", "0", "-1", "Submitted batch job 1", "²"]
)
def test_what_is_no_plain_id_is_unclear_and_kept(out: str) -> None:
    reply = read_sbatch(0, out, "warning")
    assert (reply.answer, reply.job) == (Answer.UNCLEAR, "")
    assert reply.said == "\n".join(filter(None, ("warning", out.strip())))


@pytest.mark.parametrize(
    "err",
    [
        FAILED + "Invalid partition name specified",
        FAILED + "Invalid account or account/partition combination specified",
        FAILED + "Invalid qos specification",
        FAILED + "Requested node configuration is not available",
        FAILED + "Requested time limit is invalid (missing or exceeds some limit)",
        FAILED + "Memory specification can not be satisfied",
        "sbatch: error: QOSMaxCpuPerJobLimit\n" + FAILED + POLICY,
        "sbatch: error: AssocGrpCpuLimit\n" + FAILED + POLICY,
        "sbatch: error: Invalid directive found in batch script: b",
        "sbatch: error: Invalid --time specification",
        "sbatch: error: invalid number of nodes (-N 3-2)",
        "sbatch: fatal: --mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.",
        "sbatch: error: Invalid generic resource (gres) specification",
        "sbatch: invalid option -- 'P'\nsbatch: error: Unrecognized command line parameter ?",
        "sbatch: fatal: stdin: line 2: Unmatched `'` in [ --comment='x]",
        "sbatch: unrecognized option '--x'\nTry \"sbatch --help\" for more information",
        "sbatch: error: lua: no --mem here, please\n" + FAILED + "Unspecified error",
        "sbatch: error: cli_filter plugin terminated with error",
        "sudo: a password is required",
        "Sorry, user runyard is not allowed to execute '/usr/bin/sbatch' as carol on host.",
    ],
)
def test_known_refusals(err: str) -> None:
    assert read_sbatch(1, "", err + "\n") == SbatchReply(Answer.REFUSED, said=err)


@pytest.mark.parametrize(
    "err",
    [
        "sbatch: error: AssocMaxSubmitJobLimit\n" + FAILED + POLICY,
        "sbatch: error: QOSMaxSubmitJobPerUserLimit\n" + FAILED + POLICY,
        FAILED + POLICY,
        "sbatch: error: Slurm job queue full, sleeping and retrying\n"
        + FAILED
        + "Unable to create job record, try again",
    ],
)
def test_limits_on_how_many_jobs_there_may_be(err: str) -> None:
    assert read_sbatch(1, "", err).answer is Answer.FULL


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        (1, "", FAILED + "Socket timed out on send/recv operation"),
        (1, "", FAILED + "Unable to contact slurm controller (connect failure)"),
        (1, "", FAILED + "Zero Bytes were transmitted or received"),
        (1, "", FAILED + "Protocol authentication error"),
        (1, "", FAILED + "Unspecified error"),
        (1, "", FAILED + "Something new in SLURM 30"),
        # A refusal of one attempt says nothing about a later one that timed out.
        (1, "", "error: Invalid qos\n" + FAILED + "Socket timed out on send/recv operation"),
        (1, "123\n", FAILED + "Invalid qos specification"),
        (255, "", "client_loop: send disconnect: Broken pipe"),
        (124, "", ""),
        (-9, "", ""),
        (1, "", ""),
    ],
)
def test_everything_else_is_unclear(code: int, out: str, err: str) -> None:
    assert read_sbatch(code, out, err).answer is Answer.UNCLEAR


@pytest.mark.parametrize("code", [126, 127])
def test_an_sbatch_that_never_ran(code: int) -> None:
    assert read_sbatch(code, "", "sh: 1: /opt/slurm/bin/sbatch: not found").answer is Answer.REFUSED


@given(st.integers(-64, 255), st.text(), st.text())
def test_only_a_plain_id_is_taken_for_one(code: int, out: str, err: str) -> None:
    reply = read_sbatch(code, out, err)
    accepted = reply.answer is Answer.ACCEPTED
    assert accepted == bool(reply.job)
    if accepted:
        assert (code, out.strip().split(";")[0]) == (0, reply.job)
        assert reply.job.isascii()
    assert err.strip() in reply.said
