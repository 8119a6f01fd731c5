"""Memory and time: from what people write, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.config.units import (
    LARGEST,
    format_about,
    format_duration,
    format_mb,
    format_peak_mb,
    format_time,
    parse_duration,
    parse_memory,
)


@pytest.mark.parametrize(
    ("given_as", "mb"),
    [(1, 1), ("93", 93), ("71M", 71), ("4G", 4000), ("1T", 1_000_000), (" 5M ", 5), ("007G", 7000), (2.0, 2)],
)
def test_memory(given_as: object, mb: int) -> None:
    assert parse_memory(given_as) == mb


@pytest.mark.parametrize(
    "given_as",
    [
        0,
        -1,
        True,
        False,
        None,
        [],
        1.5,
        float("nan"),
        float("inf"),
        "",
        " ",
        "0",
        "0G",
        "5K",
        "5g",
        "5 M",
        "5MB",
        "93MM",
        "1.5G",
        "-5",
        "+5",
        "1e3",
        "٣",
        "²",
        "9" * 5000,
        LARGEST + 1,
        f"{LARGEST}G",
    ],
)
def test_what_is_no_memory(given_as: object) -> None:
    with pytest.raises(ValueError, match=r"^must be memory: .*16G"):
        parse_memory(given_as)


@given(
    st.integers(min_value=1, max_value=10**9), st.sampled_from([("", 1), ("M", 1), ("G", 1000), ("T", 10**6)])
)
def test_memory_with_any_unit(number: int, unit: tuple[str, int]) -> None:
    assert parse_memory(f"{number}{unit[0]}") == number * unit[1]


@pytest.mark.parametrize(
    ("mb", "text"),
    [
        (0, "0 MB"),
        (1, "1 MB"),
        (999, "999 MB"),
        (999.6, "1 GB"),
        (999960, "1 TB"),
        (1000, "1 GB"),
        (1550, "1.6 GB"),
        (64000, "64 GB"),
        (123456, "123.5 GB"),
        (1000000, "1 TB"),
        (2500000, "2.5 TB"),
    ],
)
def test_memory_on_a_screen(mb: float, text: str) -> None:
    assert format_mb(mb) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 1800),
        ("10:30", 630),
        ("1:00:00", 3600),
        ("2-0", 172_800),
        ("1-12", 129_600),
        ("1-12:30", 131_400),
        ("1-12:30:05", 131_405),
        ("90:00", 5400),
        ("45s", 45),
        ("90m", 5400),
        ("2h", 7200),
        ("1d", 86_400),
        ("1d12h", 129_600),
        ("1H30M", 5400),
        (" 5m ", 300),
    ],
)
def test_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "0:00",
        "-5",
        "5w",
        "m",
        "1.5h",
        "1h2d",
        "1:2:3:4",
        "1-2:3:4:5",
        "1-",
        ":30",
        "٣",
        "9" * 5000,
        "36501d",
        "UNLIMITED",
        "1 h",
        "5\n6",
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a time above 0: .*90m"):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=36_500 * 86_400))
def test_a_duration_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.text(max_size=60))
def test_any_text_is_a_duration_or_refused_in_words(text: str) -> None:
    try:
        assert parse_duration(text) > 0
    except ValueError as error:
        assert str(error).startswith("must be a time")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00:00"),
        (59.9, "0:00:59"),
        (724, "0:12:04"),
        (86_399, "23:59:59"),
        (183_845, "2-03:04:05"),
        (-3, "0:00:00"),
    ],
)
def test_duration_as_a_clock_shows_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (45.2, "45 s"),
        (180, "3 min"),
        (3569, "59 min"),
        (3600, "1 h"),
        (9000, "2.5 h"),
        (100000, "27.8 h"),
        (259200, "3 d"),
    ],
)
def test_duration_as_an_estimate(seconds: float, text: str) -> None:
    assert format_about(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "ended", "going"),
    [
        (-1.0, "0.0 s", "0 s"),
        (0.04, "0.0 s", "0 s"),
        (0.23, "0.2 s", "0 s"),
        (3.44, "3.4 s", "3 s"),
        (9.94, "9.9 s", "9 s"),
        (9.96, "0:00:10", "9 s"),
        (10.0, "0:00:10", "0:00:10"),
        (64.9, "0:01:04", "0:01:04"),
    ],
)
def test_short_times_have_tenths(seconds: float, ended: str, going: str) -> None:
    assert format_time(seconds) == ended
    assert format_time(seconds, going=True) == going


@pytest.mark.parametrize(
    ("mb", "text"), [(0.0, "<16 MB"), (14.2, "<16 MB"), (15.99, "<16 MB"), (16.0, "16 MB"), (4000, "4 GB")]
)
def test_a_peak_below_what_the_worker_holds_says_nothing(mb: float, text: str) -> None:
    assert format_peak_mb(mb) == text
