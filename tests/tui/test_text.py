import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import text
from tui.text import fit, pad, plain, width_of


@pytest.fixture(params=[False, True], ids=["unicode", "ascii"])
def ascii_terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    simple = bool(request.param)
    monkeypatch.setattr(text, "ascii_only", lambda: simple)
    return simple


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("[/]", "[/]"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\nb\tc\rd\0e\x7f", "a␊b␉c␍d␀e␡"),
        ("\x9b31m\x85", "�31m�"),
        ("gpj.\u202egnp", "gpj.�gnp"),
        ("zero\u200bwidth\u200djoin\ufeff", "zero�width�join�"),
        ("\u2028line\u2029", "�line�"),
        ("bad\udc80byte", "bad�byte"),
        ("tag\U000e0041", "tag�"),
        ("日本語 ملف café e\u0301", "日本語 ملف café e\u0301"),
        ("heart\u2764\ufe0f", "heart\u2764"),
        ("a" + "\u0301" * 50, "a" + "\u0301" * 4),
    ],
)
def test_plain_shows_what_would_act(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_plain_text_is_one_harmless_line(anything: str) -> None:
    shown = plain(anything)
    assert shown.splitlines() in ([], [shown])
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    shown.encode()  # raises where a lone surrogate is left
    assert plain(shown) == shown


def test_a_monster_is_bounded() -> None:
    shown = plain("é" * 50_000_000)
    assert len(shown) == text.LONGEST
    assert shown.endswith(text.ellipsis())


@given(st.text(), st.integers(-1, 30), st.sampled_from(["start", "end"]))
def test_fit_never_exceeds_and_keeps_what_fits(anything: str, width: int, keep: str) -> None:
    shown = plain(anything)
    cut = fit(shown, width, "end" if keep == "end" else "start")
    assert width_of(cut) <= max(0, width)
    if width_of(shown) <= max(0, width):
        assert cut == shown


@given(st.text(), st.integers(0, 30))
def test_pad_fills_exactly(anything: str, width: int) -> None:
    assert width_of(pad(plain(anything), width)) == width
    assert width_of(pad(plain(anything), width, "right", "end")) == width


def test_fit_cuts_where_asked(ascii_terminal: bool) -> None:
    dots = "~" if ascii_terminal else "…"
    assert fit("/data/plates/plate-4.zarr", 12) == f"/data/plate{dots}"
    assert fit("/data/plates/plate-4.zarr", 12, "end") == f"{dots}late-4.zarr"
    assert fit("日本語", 4) == f"日 {dots}"
    assert pad("7", 3, "right") == "  7"


def _ascii_chosen_with(**environment: str) -> str:
    asked = subprocess.run(
        [sys.executable, "-c", "import sys, tui.text as t; print(t.ascii_only(), 'textual' in sys.modules)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.strip()


def test_the_locale_chooses_the_signs() -> None:
    assert _ascii_chosen_with(LC_ALL="C.UTF-8") == "False False"
    assert _ascii_chosen_with(LC_ALL="C") == "True False"
    assert _ascii_chosen_with(LC_ALL="C.UTF-8", RUNYARD_ASCII="1") == "True False"
    assert _ascii_chosen_with(LC_ALL="C", RUNYARD_ASCII="0") == "False False"
