"""What is kept of commands, and what is not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.transport.base import NOT_RUN, Command, Part, Reply
from runners.transport.records import KEPT_LENGTH, CommandRecord, Recorder, redacted


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("--export=PATH=/bin,API_TOKEN=hunter2", "--export=PATH=/bin,API_TOKEN=[redacted]"),
        ("aws_secret_access_key = no setting", "aws_secret_access_key = no setting"),
        ("PGPASSWORD='a b c' psql", "PGPASSWORD=[redacted] psql"),
        ("--ssh-key=/home/me/.ssh/id", "--ssh-key=[redacted]"),
        ('{"name": "a", "password": "hunter 2", "n": 1}', '{"name": "a", "password": [redacted], "n": 1}'),
        ("git clone https://me:hunter2@host/x.git", "git clone https://[redacted]@host/x.git"),
        ("sudo: a password is required", "sudo: a password is required"),
        ("cat: /home/me/key: Permission denied", "cat: /home/me/key: Permission denied"),
        ("JobId=12 UserId=me(1000) Comment=a=b", "JobId=12 UserId=me(1000) Comment=a=b"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\nx", "[redacted]\nx"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc", "[redacted]"),
    ],
)
def test_what_looks_secret_is_left_out(text: str, kept: str) -> None:
    assert redacted(text) == kept


@given(st.text(alphabet="aTOKEN_=:'\" /@-\n", max_size=200))
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    if "TOKEN" not in text and "@" not in text:
        assert redacted(text) == text


def test_long_arguments_and_output_take_no_time() -> None:
    records: list[CommandRecord] = []
    recorder = Recorder("here", records.append)
    began = time.monotonic()
    for text in ("a" * 100_000, "a=" * 50_000, "a-" * 50_000, "://" * 30_000, '"=' * 50_000):
        recorder.ran(Command((text,)), Reply(0, text.encode(), text.encode()), 0.0)
    assert time.monotonic() - began < 1
    assert len(records) == 5


def test_a_record_tells_the_command_as_typed_and_of_its_input_only_the_size() -> None:
    records: list[CommandRecord] = []
    recorder = Recorder("ssh:me@host", records.append)
    command = Command(("sbatch", "--parsable", "a b;c"), b"#!/bin/sh\nTOKEN=hunter2\n" * 100)
    recorder.ran(command, Reply(0, b"12\n", b""), 1.5)
    recorder.ran(Command(("cat",)), None, 2.0, "the line was lost")
    recorder.ran(Command(("late",)), Reply(NOT_RUN, b"", b""), 0.0)
    first, second = records
    assert first.command == "sbatch --parsable 'a b;c' < 2,400 bytes"
    assert (first.place, first.code, first.seconds, first.out) == ("ssh:me@host", 0, 1.5, "12\n")
    assert abs(time.time() - 1.5 - first.time) < 5
    assert (second.code, second.err) == (None, "the line was lost")


def test_long_output_and_long_commands_are_cut() -> None:
    records: list[CommandRecord] = []
    out, err = b"\xff" * 1_000_000, ("\u00e9" * 10_000).encode()
    Recorder("here", records.append).ran(Command(("x" * 10_000,)), Reply(0, out, err), 0.0)
    (record,) = records
    for text in (record.command, record.out, record.err):
        assert len(text) == KEPT_LENGTH + len(" ...")


def test_reading_files_is_one_record() -> None:
    records: list[CommandRecord] = []
    recorder = Recorder("here", records.append)
    recorder.has_read([Part(b"x" * 6000, 0, 1), Part(b"x" * 6000, 0, 1), None], 0.1)
    recorder.has_read([Part(b"", 0, 0, "it is a pipe")], 0.1)
    recorder.has_read([], 0.1)
    assert [(record.command, record.err) for record in records] == [
        ("read 3 files, 12 kB", ""),
        ("read 1 file, 0 bytes", "it is a pipe"),
    ]
