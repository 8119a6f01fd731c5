"""Why sbatch refuses: what it says, as a sentence, the field at fault, and what to do."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.explanation import About, Need
from runners.slurm.refusals import explain_refusal
from runners.slurm.replies import Answer, read_sbatch

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/slurm-wlm/libslurmfull.so")
FAILED = "sbatch: error: Batch job submission failed: "
TESTED = "allocation failure: "
POLICY = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
SET = "jobs_runner_config.default_slurm_config"
ABOUT = About(resource="alps")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("Invalid partition name specified", f"{SET}.partition"),
        ("User's group not permitted to use this partition", f"{SET}.partition"),
        ("Invalid account or account/partition combination specified", f"{SET}.account"),
        ("Job's account not permitted to use this partition (main allows a not b)", f"{SET}.account"),
        ("Invalid qos specification", f"{SET}.extra_lines"),
        ("Requested time limit is invalid (missing or exceeds some limit)", f"{SET}.time"),
        ("Memory specification can not be satisfied", f"{SET}.mem"),
        ("Invalid feature specification", f"{SET}.constraint"),
        ("Invalid generic resource (gres) specification", f"{SET}.gres"),
        ("Invalid Trackable RESource (TRES) specification", f"{SET}.gres"),
        ("Invalid node name specified", f"{SET}.nodelist"),
        ("Node count specification invalid", f"{SET}.nodes"),
        ("More processors requested than permitted", "jobs_runner_config.batching_config.max_cpus_per_job"),
        ("Requested reservation is invalid", f"{SET}.extra_lines"),
        ("Invalid license specification", f"{SET}.extra_lines"),
        ("User not found on host", "username"),
    ],
)
def test_the_field_at_fault(words: str, field: str) -> None:
    for said in (FAILED + words, TESTED + words):
        explained = explain_refusal(said + "\n", ABOUT)
        assert explained is not None
        assert (explained.field, explained.need) == (field, Need.NEVER)
        assert explained.of == ("profile" if field == "username" else "resource")
        assert (
            field == "username" or field.endswith("extra_lines") or f"set alps {field}=" in explained.remedy
        )


def test_what_slurm_does_not_say_is_not_made_up() -> None:
    explained = explain_refusal(TESTED + "Requested node configuration is not available", ABOUT)
    assert explained is not None
    assert (explained.of, explained.field, explained.need) == ("", "", Need.NEVER)
    assert explained.remedy.endswith(": sinfo -N -o '%N %P %c %m %f %G'")


def test_the_set_that_is_refused_has_its_own_path() -> None:
    gpu = "jobs_runner_config.gpu_slurm_config"
    explained = explain_refusal("Invalid generic resource (gres) specification", ABOUT, settings=gpu)
    assert explained is not None
    assert explained.field == f"{gpu}.gres"
    assert explained.remedy.endswith(f": runyard resource set alps {gpu}.gres=GRES")


def test_the_limit_that_slurm_names_goes_before_its_words_for_all() -> None:
    explained = explain_refusal(f"sbatch: error: QOSMaxCpuPerJobLimit\n{FAILED}{POLICY}", ABOUT)
    assert explained is not None
    assert explained.sentence == "It asks for more CPUs than the QOS allows one job."
    assert explained.remedy.startswith("Ask for less, and retry: runyard resource set alps ")
    unnamed = explain_refusal(FAILED + POLICY, ABOUT)
    assert unnamed is not None and unnamed.cause == "policy"


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("sbatch: unrecognized option '--x'\nTry \"sbatch --help\"", "can't read (--x)."),
        ("sbatch: error: Invalid directive found in batch script: b", "can't read (b)."),
        (
            "sbatch: error: lua: no --mem here, please\n" + FAILED + "Unspecified error",
            "(no --mem here, please)",
        ),
        ("sbatch: error: cli_filter plugin terminated with error", "A rule of the site refuses it."),
        ("Job's account not permitted to use this partition (main allows a)", "(main allows a)"),
        ("sudo: a password is required", "sudo does not let us run sbatch"),
        ("sh: 1: /opt/slurm/bin/sbatch: not found", "sbatch is not there"),
        (FAILED + "Socket timed out on send/recv operation", "gives no answer"),
    ],
)
def test_what_it_names_is_told(said: str, part: str) -> None:
    explained = explain_refusal(said, ABOUT)
    assert explained is not None
    assert part.lower() in explained.sentence.lower()


@pytest.mark.parametrize(
    "said",
    [
        "",
        "sbatch: Job 3 to start at 2026-01-01T00:00:00 using 1 processors on nodes c1 in partition main",
        "?",
    ],
)
def test_what_is_no_refusal_is_not_explained(said: str) -> None:
    assert explain_refusal(said) is None


@pytest.mark.skipif(not LIBRARY.exists(), reason="SLURM's library is not installed")
def test_every_refusal_of_the_slurm_that_is_here_is_explained() -> None:
    words_of = ctypes.CDLL(str(LIBRARY)).slurm_strerror
    words_of.restype = ctypes.c_char_p
    said = {words_of(number).decode() for number in range(2000, 2200)}
    refused = {
        words for words in said if read_sbatch(1, "", FAILED + words).answer in (Answer.REFUSED, Answer.FULL)
    }
    assert len(refused) > 25
    assert {words for words in refused if explain_refusal(FAILED + words) is None} == set()


@given(st.text(), st.text())
def test_any_text_is_explained_in_printable_words(before: str, after: str) -> None:
    for words in ("lua: ", "unrecognized option '", "Job's account not permitted (", "QOSMax", ""):
        explained = explain_refusal(f"{before}{words}{after}", About(resource=before))
        if explained is not None:
            assert (explained.sentence + explained.remedy).isprintable()
