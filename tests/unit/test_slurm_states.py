"""The words for the state of a job."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.slurm.states import COMES_BACK, JOB_STATES, Phase, canceller, state_word


def test_all_words_of_slurm() -> None:
    base = "PENDING RUNNING SUSPENDED COMPLETED CANCELLED FAILED TIMEOUT NODE_FAIL PREEMPTED BOOT_FAIL"
    flags = "COMPLETING CONFIGURING EXPEDITING RESIZING REQUEUED REQUEUE_FED REQUEUE_HOLD SPECIAL_EXIT"
    more = "DEADLINE OUT_OF_MEMORY STOPPED REVOKED RESV_DEL_HOLD SIGNALING STAGE_OUT"
    assert set(JOB_STATES) == set(f"{base} {flags} {more}".split())
    assert len(JOB_STATES) == 25
    assert all(JOB_STATES[word] is Phase.ENDED for word in COMES_BACK)


@given(st.sampled_from(sorted(JOB_STATES)), st.integers(0, 2**32))
def test_a_word_is_found_in_all_its_forms(word: str, uid: int) -> None:
    for form in (word, f" {word}\n", f"{word}+", f"{word} by {uid}", f"{word} by {uid}+", f"{word} by root"):
        assert state_word(form) == word


@pytest.mark.parametrize(
    ("cut", "word"),
    [("OUT_OF_ME+", "OUT_OF_MEMORY"), ("CANC+", "CANCELLED"), ("REQUEUE_+", None), ("XX+", None)],
)
def test_a_word_that_was_cut_off(cut: str, word: str | None) -> None:
    assert state_word(cut) == word


@pytest.mark.parametrize(
    ("text", "uid"),
    [
        ("CANCELLED by 0", 0),
        (" CANCELLED by 1000\n", 1000),
        ("CANCELLED", None),
        ("CANCELLED by root", None),
        ("CANCELLED by 99999999999", None),
        ("COMPLETED", None),
        ("", None),
    ],
)
def test_who_has_cancelled(text: str, uid: int | None) -> None:
    assert canceller(text) == uid


@pytest.mark.parametrize("text", ["", "CD", "cancelled", "OUT_OF_ME", "RUNNING RUNNING", "CANCELLED by", "+"])
def test_unknown_words_tell_nothing(text: str) -> None:
    assert state_word(text) is None


@given(st.text())
def test_no_text_is_taken_for_a_word_it_does_not_begin_with(text: str) -> None:
    word = state_word(text)
    assert word is None or (word in JOB_STATES and text.strip().rstrip("+").split()[0] == word)
