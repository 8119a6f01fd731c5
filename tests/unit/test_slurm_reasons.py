"""SLURM's words for why a job waits, as sentences, and what to do."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.explanation import About, Explanation, Need
from runners.slurm.reason_table import REASONS
from runners.slurm.reasons import explain_reason, reason_words

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
        ("ReqNodeNotAvail, Reserved for maintenance", "waiting: the nodes are reserved for a maintenance"),
        ("RaisedSignal:9(Killed)", "ended by a signal"),
        ("launch failed requeued held", "held: a node could not start it, so it was put back"),
        ("launch_failed_requeued_held", "held: a node could not start it, so it was put back"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            "waiting: the nodes that it could use are down, drained or kept for others",
        ),
        ("Resources,Priority", "waiting for free nodes; waiting for jobs with higher priority"),
        ("Priority, somewhere else", "waiting for jobs with higher priority (somewhere else)"),
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
    assert [word for word in words[1:] if not told(word).remedy or not told(word).known] == []


ABOUT = About(job="123", resource="alps", run="3k9m", partition="main")

LATER = ("ReservationInvalid", "Constraints", "MaxPoweredUpNodes", "MpiPortsBusy", "WaitingForScheduling")
"""Words of later versions than Debian has."""


def told(reason: str, about: About = ABOUT) -> Explanation:
    explained = explain_reason(reason, about)
    assert explained is not None
    return explained


@pytest.mark.parametrize("word", [*REASONS, *LATER])
@pytest.mark.parametrize("about", [ABOUT, About()])
def test_every_word_has_a_sentence_and_something_to_do(word: str, about: About) -> None:
    explained = told(word, about)
    assert explained.known and explained.cause == word
    for text in (explained.sentence, explained.remedy):
        assert text[0].isupper() and "{" not in text and "  " not in text
    assert explained.sentence.endswith(".")
    # It ends with its full stop, or with what can be pasted.
    assert explained.remedy.endswith(".") != (": " in explained.remedy.rpartition(". ")[2])
    assert (explained.of == "resource") == bool(explained.field)
    assert not explained.field or f" {explained.field}=" in explained.remedy


@pytest.mark.parametrize(
    ("reason", "need", "ends"),
    [
        ("Priority", Need.WAITS, "SLURM's own estimate: squeue --start -j 123"),
        ("Resources", Need.WAITS, "squeue --start -j 123"),
        ("QOSMaxJobsPerUserLimit", Need.WAITS, ": sacctmgr show qos"),
        ("JobHeldUser", Need.ACTION, "Let it go: scontrol release 123"),
        ("launch failed requeued held", Need.ACTION, ": scontrol release 123"),
        ("PartitionDown", Need.ACTION, ": sinfo --summarize --partition=main"),
        ("AssocGrpCPUMinutesLimit", Need.ACTION, ": sacctmgr show assoc where user=$USER"),
        ("ReqNodeNotAvail, UnavailableNodes:node[1-2],n7", Need.ACTION, " --nodes='node[1-2],n7'"),
        ("ReqNodeNotAvail, May be reserved for other job", Need.WAITS, "squeue --start -j 123"),
        (
            "PartitionTimeLimit",
            Need.NEVER,
            ": runyard resource set alps jobs_runner_config.default_slurm_config.time=TIME",
        ),
        (
            "QOSMaxMemoryPerJob",
            Need.NEVER,
            ": runyard resource set alps jobs_runner_config.batching_config.max_mem_per_job=MEMORY",
        ),
        # Of several parts the one that needs most decides.
        ("Priority,PartitionDown", Need.ACTION, ": sinfo --summarize --partition=main"),
    ],
)
def test_what_to_do(reason: str, need: Need, ends: str) -> None:
    explained = told(reason)
    assert explained.need is need
    assert explained.remedy.endswith(ends)


@pytest.mark.parametrize(
    ("partition", "sentence"),
    [
        ("main", "Waiting: the partition main is down."),
        ("main,gpu", "Waiting: one of the partitions main, gpu is down."),
        ("", "Waiting: the partition is down."),
        ("\x1b[2J", "Waiting: the partition '\\x1b[2J' is down."),
    ],
)
def test_the_partition_is_named(partition: str, sentence: str) -> None:
    explained = told("PartitionDown", About(partition=partition))
    assert explained.sentence == sentence
    assert partition.isprintable() == explained.remedy.endswith(f" --partition={partition}") or not partition


def test_without_what_a_command_needs_there_is_none() -> None:
    assert told("Priority", About()).remedy == "Nothing to do, it starts when its turn comes."
    assert told("PartitionDown", About(job="1")).remedy.endswith(": sinfo --summarize")


@pytest.mark.parametrize("reason", ["", "None", "(null)"])
def test_no_reason_is_not_explained(reason: str) -> None:
    assert explain_reason(reason, ABOUT) is None


def test_a_word_that_is_not_known_is_told_as_it_is() -> None:
    explained = told("NewInSlurm30")
    assert (explained.sentence, explained.known) == ("SLURM says: NewInSlurm30.", False)
    assert explained.remedy.endswith("What it knows: scontrol show job 123")


@pytest.mark.parametrize(
    "reason", ["\x1b[2J", "ReqNodeNotAvail, \x1b[2J", "ReqNodeNotAvail, UnavailableNodes:$(rm -rf /)"]
)
def test_what_is_no_reason_does_no_harm(reason: str) -> None:
    explained = told(reason, About(resource="a; rm -rf /", run="\x1b"))
    assert explained.sentence.isprintable() and explained.remedy.isprintable()
    assert "$(" not in explained.remedy


@given(st.text(), st.text())
def test_any_text_is_explained_in_printable_words(word: str, more: str) -> None:
    for reason in (word, f"{word}, {more}", f"ReqNodeNotAvail, {more}", f"Priority,{word}"):
        explained = explain_reason(reason, About(job=word, resource=more, run=word, partition=more))
        if explained is not None:
            assert (explained.sentence + explained.remedy + explained.cause).isprintable()
