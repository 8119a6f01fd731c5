import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.findings import FindingState
from runners.states import State
from runners.store.rows import Counts
from tui import signs
from tui.signs import bar, bar_segments, branch, sign
from tui.text import width_of


@pytest.fixture
def ascii_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "ascii_only", lambda: True)


def test_every_state_has_a_glyph_of_its_own_and_its_word() -> None:
    shown = [sign(state) for state in State] + [sign("requeued")]
    assert [s.word for s in shown] == [*State, "requeued"]
    assert "".join(s.glyph for s in shown) == "○●✓✗⊘?↻"
    assert all(width_of(s.glyph) == 1 for s in shown)


def test_so_has_every_outcome_of_a_check() -> None:
    shown = [sign(state) for state in FindingState]
    assert [f"{s.glyph} {s.word}" for s in shown] == ["✓ ok", "! warning", "✗ failure", "? untold"]
    assert len({s.style for s in shown}) == 4


@pytest.mark.usefixtures("ascii_terminal")
def test_signs_without_unicode() -> None:
    assert "".join(sign(state).glyph for state in FindingState) == "+!x?"
    assert "".join(sign(state).glyph for state in State) == "o*+x-?"
    assert sign("requeued").glyph.isascii()
    assert bar(Counts(done=1, pending=1), 10) == "#####-----"
    assert (branch(last=False), branch(last=True)) == ("|-", "`-")


def test_a_bar_shows_eighths() -> None:
    assert bar(Counts(done=812, pending=188), 14) == "███████████▎··"
    assert bar(Counts(done=5, failed=2, cancelled=1), 3) == "███"
    assert bar(Counts(running=8), 3) == "···"
    assert bar(Counts(), 3) == "···"
    assert bar(Counts(done=1), 0) == ""


@given(st.integers(0, 20_000), st.integers(0, 20_000), st.integers(1, 40))
def test_a_bar_never_lies_at_its_ends(done: int, pending: int, width: int) -> None:
    drawn = bar(Counts(done=done, pending=pending), width)
    assert len(drawn) == width
    assert (drawn == "·" * width) == (done == 0)
    assert (drawn == "█" * width) == (done > 0 and pending == 0)


@pytest.mark.parametrize(
    ("counts", "state", "segments"),
    [
        (Counts(done=500), State.DONE, [("█" * 10, "done")]),
        (Counts(done=498, failed=2), State.FAILED, [("█" * 9, "done"), ("█", "failed")]),
        (
            Counts(done=300, failed=200, pending=500),
            State.RUNNING,
            [("█" * 3, "running"), ("█" * 2, "failed"), ("·" * 5, "muted")],
        ),
        (
            Counts(done=505, failed=1, pending=494),
            State.RUNNING,
            [("█" * 4, "running"), ("█", "failed"), ("·" * 5, "muted")],
        ),
        (
            Counts(done=529, failed=1, pending=470),
            State.RUNNING,
            [("█" * 4, "running"), ("█▎", "failed"), ("·" * 4, "muted")],
        ),
        (Counts(failed=5), State.FAILED, [("█" * 10, "failed")]),
        (Counts(failed=1, pending=999), State.RUNNING, [("▏", "failed"), ("·" * 9, "muted")]),
        (Counts(pending=5), State.PENDING, [("·" * 10, "muted")]),
    ],
)
def test_what_failed_has_its_share_of_the_bar_at_its_end(
    counts: Counts, state: State, segments: list[tuple[str, str]]
) -> None:
    assert bar_segments(counts, 10, state) == segments


@given(st.integers(0, 900), st.integers(0, 900), st.integers(0, 900), st.integers(1, 40))
def test_a_bar_of_several_tones_is_the_bar(done: int, failed: int, pending: int, width: int) -> None:
    counts = Counts(done=done, failed=failed, pending=pending)
    segments = bar_segments(counts, width, State.RUNNING)
    assert "".join(text for text, _ in segments) == bar(counts, width)
    assert ("failed" in [style for _, style in segments]) == (failed > 0)
