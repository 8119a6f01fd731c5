"""SLURM's words for why a job waits, as sentences."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from runners.slurm.reasons import reason_words

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/slurm-wlm/libslurmfull.so")
"""Where Debian has SLURM's own list of words."""


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Priority", "waiting for jobs with higher priority"),
        ("Resources", "waiting for free nodes"),
        ("QOSMaxJobsPerUserLimit", "waiting: you have as many running jobs as the QOS allows one user"),
        (
            "QOSMaxSubmitJobPerUserLimit",
            "waiting: you have as many jobs in the queue as the QOS allows one user",
        ),
        ("AssocMaxJobsLimit", "waiting: you have as many running jobs as your account allows"),
        ("AssocGrpCpuLimit", "waiting: your account has as many CPUs as it may"),
        ("AssocGrpCPUMinutesLimit", "waiting: your account has used up its CPU minutes"),
        (
            "MaxGRESPerAccount",
            "waiting: your account has as many GPUs or other devices as the QOS allows one account",
        ),
        ("QOSMaxMemoryPerNode", "can't start: it asks for more memory on a node than the QOS allows"),
        ("QOSMaxWallDurationPerJobLimit", "can't start: its time limit is longer than the QOS allows"),
        ("QOSMinCpuNotSatisfied", "can't start: the QOS wants a job to ask for more CPUs"),
        (
            "ReqNodeNotAvail, UnavailableNodes:node[1-2]",
            "waiting: a node that it needs is not available (node[1-2])",
        ),
        ("RaisedSignal:9(Killed)", "ended by a signal"),
    ],
)
def test_reasons(reason: str, words: str) -> None:
    assert reason_words(reason) == words


@pytest.mark.parametrize("reason", ["", "None", "(null)", "  "])
def test_no_reason_is_no_sentence(reason: str) -> None:
    assert reason_words(reason) == ""


@pytest.mark.parametrize(
    "reason", ["NewInSlurm30", "QOSMaxUnicornsPerUser", "no such text, at all", "[/]", "\x1b[2J"]
)
def test_a_word_that_is_not_known_stays_as_it_is(reason: str) -> None:
    assert reason_words(reason) == reason


@pytest.mark.skipif(not LIBRARY.exists(), reason="SLURM's library is not installed")
def test_every_word_of_the_slurm_that_is_here_has_its_sentence() -> None:
    word_of = ctypes.CDLL(str(LIBRARY)).job_reason_string
    word_of.restype = ctypes.c_char_p
    words = [word_of(number).decode() for number in range(150)]
    assert "QOSMaxJobsPerUserLimit" in words
    assert [word for word in words[1:] if reason_words(word) == word] == []
