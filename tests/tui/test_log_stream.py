"""Logs on their way to a terminal."""

from __future__ import annotations

import re
import time
from unicodedata import category

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.verbs.log_stream import LogStream


def shown(*pieces: bytes) -> str:
    stream = LogStream()
    return "".join(stream.feed(piece) for piece in pieces) + stream.end()


def test_text_and_colours_pass() -> None:
    assert shown("a\tb\nä 晶\n".encode()) == "a\tb\nä 晶\n"
    assert shown(b"\x1b[1;31mred\x1b[0m\n") == "\x1b[1;31mred\x1b[0m\n\x1b[0m"


def test_everything_else_is_pictured() -> None:
    assert shown(b"\x1b[2J\x1b]0;title\x07\x00\x08\x7f\x9b") == "␛[2J␛]0;title␇␀␈␡�"
    assert shown("\u202eevil\u009b31m".encode()) == "�evil�31m"
    assert shown(b"\xff\xfe") == "��"


def test_a_progress_bar_becomes_lines() -> None:
    assert shown(b"1%\r50%\r100%\r\ndone\r") == "1%\n50%\n100%\ndone\n"


def test_what_is_cut_in_two_is_put_together() -> None:
    assert shown(b"a\x1b[3", b"1mb\r", b"\nc\xc3", b"\xa4") == "a\x1b[31mb\ncä\x1b[0m"
    assert shown(b"a\x1b", b"[", b"2J") == "a␛[2J"
    assert shown(b"end\x1b[") == "end␛["


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=60), cut=st.integers(0, 60))
def test_any_bytes_are_harmless_however_they_come(data: bytes, cut: int) -> None:
    whole = shown(data)
    assert shown(data[:cut], data[cut:]) == whole
    rest = re.sub(r"\x1b\[[0-9;:]*m", "", whole)
    assert not [letter for letter in rest if letter not in "\n\t" and category(letter) in ("Cc", "Cf", "Cs")]


def test_a_megabyte_of_anything_takes_no_time() -> None:
    for data in (b"\0" * 1_000_000, b"\r" * 1_000_000 + b"x", b"\x1b[" * 500_000, b"x" * 1_000_000):
        before = time.process_time()
        assert shown(data)
        assert time.process_time() - before < 5
