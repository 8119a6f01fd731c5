"""Files for readers that cannot skip the beginning of one: event files in parts, the ends of large logs."""

import json
import time
from pathlib import Path

import pytest

from runners.batches import BatchRef, Cursor, Watched
from runners.event_files import events_path, new_events, read_events
from runners.events import Event
from runners.transport.base import Part
from tests.runners.worker_lab import Lab, recorded, running_and_oldest, until

pytestmark = running_and_oldest


def look(lab: Lab, cursor: Cursor, limit: int) -> tuple[list[Event], Cursor, bool]:
    """What a runner reads of the events."""
    piece = new_events(Watched(BatchRef(lab.token, str(lab.folder)), cursor), limit)
    path = Path(piece.path)
    whole = path.read_bytes() if path.exists() else None
    part = None if whole is None else Part(whole[piece.offset :][:limit], piece.offset, len(whole))
    events, after, more = read_events(part, cursor, limit)
    return list(events), after, more


def test_event_files_are_cut_and_read_back_whole(lab: Lab) -> None:
    ends = lab.run([recorded(index) for index in range(30)], part_bytes=700)
    assert [end["state"] for end in ends] == ["done"] * 30
    parts = lab.parts()
    assert len(parts) > 5
    lines = [[json.loads(line) for line in part.splitlines()] for part in parts]
    assert [part[-1]["e"] for part in lines] == ["next"] * (len(parts) - 1) + ["bye"]
    # A part is cut at the first line that fills it.
    assert all(
        700 <= len(part) - len(b'{"s":99,"t":1700000000.123,"e":"next"}') < 1100 for part in parts[:-1]
    )
    assert sum(event["e"] == "next" for part in lines for event in part) == len(parts) - 1
    for limit in (4096, 1000, 400):
        cursor, seen = Cursor(), []
        while True:
            events, cursor, more = look(lab, cursor, limit)
            seen += events
            if not more:
                break
        assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
        assert seen[-1].kind == "bye"
        assert cursor == Cursor(0, len(parts[-1]), len(parts) - 1)


def test_without_parts_there_is_one_file(lab: Lab) -> None:
    lab.run([recorded(index) for index in range(30)], part_bytes=0)
    assert len(lab.parts()) == 1
    assert not lab.of("next")


def test_foreign_lines_at_the_end_of_a_part_hold_up_nobody(lab: Lab) -> None:
    lab.run([recorded(index) for index in range(10)], part_bytes=700)
    first = Path(events_path(str(lab.folder), Cursor()))
    first.write_bytes(b"\xff not ours\n" + first.read_bytes() + b"\xff nor this\n")
    events, cursor, more = look(lab, Cursor(), 4096)
    assert (cursor, more) == (Cursor(0, 0, 1), True)
    assert [event.kind for event in events if event.kind in ("corrupt", "next")] == [
        "corrupt",
        "next",
        "corrupt",
    ]


def test_a_part_that_is_not_there_yet_is_waited_for(lab: Lab) -> None:
    lab.fill([])
    assert look(lab, Cursor(0, 0, 3), 4096) == ([], Cursor(0, 0, 3), False)


def test_a_part_that_cannot_be_made_yet_loses_no_fact(small_disk: Path, tmp_path: Path, python: str) -> None:
    lab = Lab(small_disk / "batch", python)
    tasks = [["sleep", "0.5"]] * 2 + [["true"]] * 20
    elsewhere = tmp_path / "logs"
    lab.fill(
        [{"argv": argv, "log": str(elsewhere / str(index))} for index, argv in enumerate(tasks)],
        part_bytes=500,
    )
    lab.launch()
    lab.started(0), lab.started(1)
    fillers = []
    with pytest.raises(OSError, match="No space left"):
        for number in range(64):
            fillers.append(small_disk / str(number))
            fillers[-1].touch()
    time.sleep(1.0)
    assert not lab.of("bye")
    for filler in fillers[:-1]:
        filler.unlink()
    assert [end["state"] for end in lab.finish()] == ["done"] * 22
    assert len(lab.parts()) > 3


def tail_of(log: Path) -> tuple[int, bytes]:
    head, _, data = log.with_name(log.name + ".tail").read_bytes().partition(b"\n")
    return json.loads(head)["offset"], data


def test_a_large_log_has_its_end_beside_it(lab: Lab) -> None:
    grow = "yes 0123456789 | head -c 50000; while ! test -e go; do sleep 0.02; done; echo the end"
    small = "yes 0123456789 | head -c 4000"
    lab.fill([["sh", "-c", grow], ["sh", "-c", small]], tail_bytes=1000, heartbeat=0.1)
    lab.launch()
    log = lab.log(0)
    until(log.with_name("0.log.tail").exists)
    offset, data = tail_of(log)
    assert (offset, data) == (49000, log.read_bytes()[49000:50000])
    (lab.folder / "go").touch()
    lab.finish()
    assert tail_of(log) == (49008, log.read_bytes()[49008:])
    assert log.read_bytes().endswith(b"the end\n")
    assert sorted(path.name for path in log.parent.iterdir()) == ["0.log", "0.log.tail", "1.log"]


def test_the_tail_of_an_earlier_start_does_not_stay(lab: Lab) -> None:
    lab.fill([["echo", "hello"]], tail_bytes=1000)
    lab.log(0).parent.mkdir()
    tail = lab.log(0).with_name("0.log.tail")
    tail.write_bytes(b'{"offset":7}\nold')
    lab.launch()
    lab.finish()
    assert not tail.exists()


def test_without_tails_none_is_made(lab: Lab) -> None:
    lab.run([["sh", "-c", "yes | head -c 1000000"]], heartbeat=0.1)
    assert [path.name for path in lab.log(0).parent.iterdir()] == ["0.log"]
