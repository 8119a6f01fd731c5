"""Ids, times and memory as SLURM writes them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.config.units import format_duration
from runners.slurm.notation import JobId, parse_clock, parse_job_id, parse_size


@pytest.mark.parametrize(
    ("text", "job_id"),
    [
        ("123", JobId(123)),
        (" 123\n", JobId(123)),
        ("123_4", JobId(123, task=4)),
        ("123_[1-5%2]", JobId(123, tasks="1-5%2")),
        ("123_[0,3-9:2,...]", JobId(123, tasks="0,3-9:2,...")),
        ("123+0", JobId(123, part=0)),
        ("123.batch", JobId(123, step="batch")),
        ("123_4.extern", JobId(123, task=4, step="extern")),
        ("123+1.0", JobId(123, part=1, step="0")),
        ("4294967295", JobId(4294967295)),
    ],
)
def test_ids(text: str, job_id: JobId) -> None:
    assert parse_job_id(text) == job_id


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "12a", "1 2", "123_", "123_[]", "123+", "123.", "4294967296", "²", "9" * 5000]
)
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="is no id of a job"):
        parse_job_id(text)


@given(st.text())
def test_an_id_is_read_or_refused(text: str) -> None:
    try:
        assert str(parse_job_id(text).job) in text
    except ValueError:
        assert not text.strip().isascii() or not text.strip().isdigit() or not 0 < int(text) < 2**32


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:00", 0),
        ("0:05", 5),
        ("30:15", 1815),
        ("1:00:00", 3600),
        ("00:00:05", 5),
        ("2-03:04:05", 183_845),
        ("00:01.250", 1.25),
        ("UNLIMITED", math.inf),
        ("INVALID", None),
        ("NOT_SET", None),
        ("Partition_Limit", None),
        ("", None),
        ("5", None),
        ("1-2", None),
    ],
)
def test_times(text: str, seconds: float | None) -> None:
    assert parse_clock(text) == seconds


@given(st.integers(0, 10**10))
def test_a_time_reads_back(seconds: int) -> None:
    assert parse_clock(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "mb"),
    [
        ("500M", 500),
        ("4G", 4096),
        ("1.50G", 1536),
        ("326656K", 319),
        ("1T", 1024**2),
        ("4Gn", 4096),
        ("500Mc", 500),
        ("0", 0),
        ("1048576", 1),
        ("", None),
        ("N/A", None),
        ("1e3M", None),
        ("-1M", None),
    ],
)
def test_memory(text: str, mb: float | None) -> None:
    assert parse_size(text) == mb


@given(st.integers(0, 2**53 - 1))
def test_the_memory_of_a_script_reads_back(mb: int) -> None:
    assert parse_size(f"{mb}M") in (mb, None if mb >= 10**15 else mb)


@given(st.text())
def test_any_text_is_a_time_and_a_size_or_none(text: str) -> None:
    for value in (parse_clock(text), parse_size(text)):
        assert value is None or value >= 0
