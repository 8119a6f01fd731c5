import time
import tracemalloc
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui import log_text
from tui.log_text import LONGEST_LINE, LogText


def lines(text: LogText) -> list[str]:
    return [text[n] for n in range(len(text))]


def read(*chunks: bytes) -> list[str]:
    text = LogText()
    for chunk in chunks:
        text.feed(chunk)
    return lines(text)


@pytest.mark.parametrize(
    ("log", "left"),
    [
        (b"one\ntwo\n\nthree", ["one", "two", "", "three"]),
        (b"windows\r\nline\r\n", ["windows", "line"]),
        (b" 10%\r 55%\r100%\ndone", ["100%", "done"]),
        (b"long text\rab", ["abng text"]),
        (b"long text\r\x1b[Kab", ["ab"]),
        (b"spinner |\b/\b-", ["spinner -"]),
        (b"\x1b[2K\rgone\x1b[2K\rkept", ["kept"]),
        (b"\x1b[1;31mred\x1b[0m \x1b(Bok \x1b[?25l\x9b31m", ["red ok �31m"]),
        ("\x9b31mc1\x9dtitle\x07".encode(), ["c1"]),
        (b"\x1b]0;title\x07a\x1b]52;c;aGk=\x1b\\b\x1bPq#0~\x1b\\c", ["abc"]),
        (b"a\tb\n1234567\tx", ["a       b", "1234567 x"]),
        (b"nul\0bell\x07", ["nul␀bell␇"]),
        (b"bad \xff\xfe utf \xc3(", ["bad �� utf �("]),
        ("[/] [red]日本語\u202e".encode(), ["[/] [red]日本語�"]),
        (b"\x1b]never ends\nnext", ["␛]never ends", "next"]),
        (b"cut off \x1b[3", ["cut off "]),
        (b"\x1b", []),
    ],
)
def test_what_a_terminal_would_show(log: bytes, left: list[str]) -> None:
    assert read(log) == left


PARTS = [b"\x1b[31m", b"\x1b]0;t\x07", b"\r", b"\n", b"\b", b"\t", b"\x1b[K", b"\x1b", b"\0", "é日".encode()]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PARTS) | st.binary(max_size=6)), st.data())
def test_how_it_is_cut_up_does_not_matter(parts: list[bytes], data: st.DataObject) -> None:
    log = b"".join(parts)
    cut = data.draw(st.integers(0, len(log)))
    whole = read(log)
    assert read(log[:cut], log[cut:]) == whole
    acting = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [c for line in whole for c in line if unicodedata.category(c) in acting]


def test_a_line_without_an_end_is_bounded() -> None:
    text = LogText()
    for _ in range(100):
        text.feed(b"x" * 65536)
    assert {len(line) for line in lines(text)[:-1]} == {LONGEST_LINE}
    assert sum(map(len, lines(text))) <= log_text.KEPT_CHARACTERS + LONGEST_LINE
    assert text.dropped + len(text) == -(-100 * 65536 // LONGEST_LINE)


def test_an_escape_without_an_end_is_bounded() -> None:
    text = LogText()
    text.feed(b"\x1b]52;c;")
    for _ in range(50):
        text.feed(b"A" * 1000)
    assert sum(map(len, lines(text))) == 50_007


@pytest.mark.parametrize("log", [b"a line\n", b"\0", b"\n", b"\x1b[31m", b"\x1b]", b"\r", "é".encode()])
def test_much_at_once_takes_little(log: bytes) -> None:
    data = log * (50_000_000 // len(log))
    skipped = 7 + len(data) - log_text.AT_ONCE
    text = LogText(skipped=7)
    tracemalloc.start()
    begin = time.process_time()
    text.feed(data)
    took = time.process_time() - begin
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert text.skipped_bytes == skipped
    assert len(text) <= log_text.KEPT_LINES + 1
    assert most < 20e6
    assert took < 5  # with tracemalloc, and on a busy machine
