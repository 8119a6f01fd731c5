"""Event lines read back: facts are kept, faults are never fatal."""

import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.events import CORRUPT, Event, parse_events

START = b'{"s":1,"t":2.5,"e":"start","i":3,"slot":0,"pid":9}\n'

LIKELY = st.sampled_from(
    ["s", "t", "e", "i", "slot", "state", "why", "run", "exit", "wall", "rss", "left", "log"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.just("done"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LIKELY, inner, max_size=6),
    max_leaves=12,
)
KINDS = st.sampled_from(["hello", "slot", "start", "end", "hb", "left", "bye", "later"])


def parsed(data: bytes) -> list[Event]:
    events, taken = parse_events(data, full=False)
    assert taken == len(data)
    return events


def test_an_event_is_what_the_line_says() -> None:
    assert parsed(START) == [Event(1, 2.5, "start", {"i": 3, "slot": 0, "pid": 9})]


def test_a_torn_last_line_waits() -> None:
    assert parse_events(START + START[:20], full=False) == (parsed(START), len(START))
    assert parse_events(START[:20], full=False) == ([], 0)
    assert parse_events(b"", full=False) == ([], 0)


def test_a_line_that_fills_a_whole_look_is_skipped() -> None:
    events, taken = parse_events(b"x" * 5000, full=True)
    assert taken == 5000
    assert [event.kind for event in events] == [CORRUPT]
    assert len(events[0].detail["line"]) == 200


def test_kinds_that_are_not_known_yet_are_kept() -> None:
    assert parsed(b'{"s":1,"t":2,"e":"later","x":[1]}\n') == [Event(1, 2, "later", {"x": [1]})]


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"s":1,"t":NaN,"e":"start","i":3,"slot":0}',
        b'{"s":1,"t":2,"e":"start","i":"3","slot":0}',
        b'{"s":1,"t":2,"e":"start","i":true,"slot":0}',
        b'{"s":1,"t":2,"e":"start","i":-1,"slot":0}',
        b'{"s":1,"t":2,"e":"start","i":99999999999999999999,"slot":0}',
        b'{"s":1,"t":2,"e":"end","i":3,"slot":0,"state":"gone","why":""}',
        b'{"s":1,"t":2,"e":"end","i":3,"slot":0,"state":"done"}',
        b'{"s":1,"t":2,"e":"end","i":3,"slot":0,"state":"done","why":"","rss":"much"}',
        b'{"s":1,"t":2,"e":"left","i":[3],"why":""}',
        b'{"s":1,"t":2,"e":"hb","run":[[1]]}',
    ],
)
def test_what_cannot_be_relied_on_is_corrupt(line: bytes) -> None:
    (event,) = parsed(line + b"\n")
    assert (event.seq, event.kind) == (None, CORRUPT)
    assert event.detail["line"] == line[:200].decode("utf-8", "replace")


def test_a_file_name_that_is_no_utf8_can_be_stored() -> None:
    line = json.dumps({"s": 1, "t": 2, "e": "end", "i": 3, "state": "failed", "why": "not found: \udcff😀"})
    (event,) = parsed(line.encode() + b"\n")
    assert event.detail["why"] == "not found: ?😀"


@given(st.dictionaries(LIKELY, VALUES), KINDS, st.integers(0, 99))
def test_whatever_a_line_holds_its_event_can_be_stored(found: dict[str, object], kind: str, seq: int) -> None:
    line = json.dumps({**found, "s": seq, "t": 1.5, "e": kind}).encode()
    (event,) = parsed(line + b"\n")
    detail = event.detail
    with sqlite3.connect(":memory:") as store:
        store.execute("CREATE TABLE events (seq, time, kind, detail, i, state, why, exit, wall, rss, log)")
        row = [event.seq, event.time, event.kind, json.dumps(detail)]
        if event.kind == "end":
            row += [detail.get(name) for name in ("i", "state", "why", "exit", "wall", "rss", "log")]
            store.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        else:
            store.execute("INSERT INTO events (seq, time, kind, detail) VALUES (?, ?, ?, ?)", row)
    store.close()


@given(st.binary(max_size=300))
def test_no_bytes_are_fatal(data: bytes) -> None:
    parse_events(data, full=False)
