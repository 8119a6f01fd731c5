"""What schedulers show, how places can be reached, and the commands that were run there, as rows."""

import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from runners.batches import Job, Life, Line
from runners.store.reader import COMMANDS_KEPT, Reader
from runners.store.rows import PlaceRow
from runners.store.schema import MIGRATIONS, migrate
from runners.store.verdicts import cancel_waiting, intend_cancel, withdraw_batch
from runners.store.writer import Writer
from runners.transport.records import CommandRecord
from tests.store.story import RUN, RUNNING, WAITING, Story, bye, end, ended_as, hello, left, start


@pytest.fixture
def story(store: Writer) -> Story:
    """A step of three tasks."""
    return Story(store, 3)


# A batch as its scheduler shows it


def test_a_batch_shows_what_its_scheduler_tells(story: Story) -> None:
    token = story.batch(0, 1, 2)
    story.look(token, job=WAITING)
    row = story.row(token)
    assert (row.scheduler_state, row.scheduler_reason, row.limit_s) == ("PENDING", "BeginTime", 3600.0)
    assert (row.hosts, row.nodes, row.job_since, row.native_id) == ("", None, None, "17")
    assert row.partition == "main,gpu"
    story.look(token, hello(), job=RUNNING)
    row = story.row(token)
    assert (row.scheduler_state, row.scheduler_reason, row.hosts, row.nodes) == ("RUNNING", "", "c[1-2]", 2)
    assert row.partition == "main"
    assert row.job_since == story.now - 10
    # Once it has left the queue, what it had is still told.
    assert story.look(token, bye(), job=None)
    row = story.row(token)
    assert (row.scheduler_state, row.hosts, row.limit_s) == ("gone", "c[1-2]", 3600.0)
    assert row.partition == "main"


def test_a_job_without_limit(story: Story) -> None:
    token = story.batch(0, 1, 2)
    story.look(token, job=replace(RUNNING, limit_s=math.inf))
    assert story.row(token).limit_s == -1.0


def test_looks_that_bring_nothing_new_write_nothing(story: Story, tmp_path: Path) -> None:
    token = story.batch(0, 1, 2)
    story.look(token, hello(), job=RUNNING)
    with closing(Reader.open(tmp_path / "runyard.db")) as other:
        before, began = other.data_version(), story.now - 10.0
        for late in (0.0, 0.9, -3.0, 4.0):
            story.look(token, job=replace(RUNNING, elapsed_s=story.now + 1 - began + late))
        assert other.data_version() == before
        assert story.row(token).job_since == began
        # It began again while nobody looked.
        story.look(token, job=replace(RUNNING, elapsed_s=1.0))
        assert other.data_version() != before
    assert story.row(token).job_since == story.now - 1


# How long a batch had run that did not say so itself


def over(ran_s: float | None) -> Job:
    return replace(ended_as("OUT_OF_MEMORY"), elapsed_s=None, ran_s=ran_s)


def test_a_job_that_died_before_its_worker_ran_for_as_long_as_its_scheduler_says(story: Story) -> None:
    token = story.batch(0, 1, 2)
    story.look(token, job=replace(RUNNING, elapsed_s=2.0))
    began = story.now - 2.0
    story.now += 25.0
    story.look(token, job=over(None))
    assert story.row(token).ended is None
    assert story.look(token, job=over(3.0), life=Life.GONE, why="out of memory")
    assert (story.row(token).job_since, story.row(token).ended) == (began, began + 3.0)
    assert story.run.ended == began + 3.0


def test_where_nothing_tells_a_batch_has_ended_when_that_is_seen(story: Story) -> None:
    unknown, never, later = story.batch(0), story.batch(1), story.batch(2)
    story.look(unknown, job=RUNNING)
    story.look(unknown, job=over(None), life=Life.GONE)
    assert story.row(unknown).ended == story.now
    # Nobody saw when it began.
    story.look(never, job=over(3.0), life=Life.GONE)
    assert (story.row(never).ended, story.row(never).job_since) == (story.now, None)
    # No end lies ahead, however roughly its beginning is known.
    story.look(later, job=RUNNING)
    story.look(later, job=over(99.0), life=Life.GONE)
    assert story.row(later).ended == story.now


def test_a_worker_knows_best_when_it_left(story: Story) -> None:
    before, at_once, lost = story.batch(0), story.batch(1), story.batch(2)
    story.look(before, hello(), job=RUNNING)
    story.look(before, bye("terminated", again=True), job=RUNNING)
    left_at = story.now
    story.now += 25.0
    story.look(before, job=over(12.0), life=Life.GONE)
    assert story.row(before).ended == left_at
    story.look(at_once, hello(), bye("terminated", again=True), job=over(12.0), life=Life.GONE)
    assert story.row(at_once).ended == story.now
    # One that is killed does not say, and began when it said so if nothing else tells.
    story.look(lost, hello())
    greeted = story.now
    story.now += 25.0
    story.look(lost, job=over(3.0), life=Life.GONE)
    assert story.row(lost).ended == greeted + 3.0


def test_a_job_that_is_cancelled_while_it_waits_again_ends_then(story: Story) -> None:
    token = story.batch(0, 1, 2)
    story.look(token, hello(), start(0), job=RUNNING)
    story.look(token, job=WAITING, requeued=True)
    story.now += 25.0
    story.look(token, job=replace(WAITING, state="CANCELLED", ran_s=0.0), life=Life.GONE)
    assert story.row(token).ended == story.now


# Intents to cancel


def test_an_intent_to_cancel_lasts_until_the_task_has_ended(story: Story) -> None:
    story.batch(0)
    token = story.batch(1, 2)

    def intend(index: int) -> bool:
        with story.store.change() as change:
            return intend_cancel(change, RUN, index)

    assert intend(1) and intend(2) and intend(0)
    assert [task.index for task in story.store.cancelling_tasks(RUN)] == [0, 1, 2]
    assert all(task.cancelling for task in story.tasks())
    story.look(token, hello(), start(1), end(1))
    assert [task.index for task in story.store.cancelling_tasks(RUN)] == [0, 2]
    story.look(token, left((2, 2), why="cancelled"), bye("cancelled"))
    assert [task.index for task in story.store.cancelling_tasks(RUN)] == [0]
    with story.store.change() as change:
        withdraw_batch(change, change.batch("t0"), now=story.now)
    assert story.store.cancelling_tasks(RUN) == []
    assert story.states() == "cdc"
    assert not intend(1)


def test_an_intent_to_cancel_a_task_that_no_batch_has(story: Story) -> None:
    with story.store.change() as change:
        intend_cancel(change, RUN, 1)
        assert cancel_waiting(change, RUN, now=story.now, task=1)
    assert story.states() == "pcp"
    assert story.store.cancelling_tasks(RUN) == []


# Places

UP = Line(True, 0.0241)


def keep(store: Writer, line: Line, now: float, questions: int = 0, profile: str | None = "ann") -> bool:
    with store.change() as change:
        return change.keep_place("uzh", profile, "ssh:ann@uzh", line, now=now, questions=questions)


def test_a_place_is_kept_as_it_was_found(store: Writer) -> None:
    assert keep(store, Line(None), 1.0, profile=None)
    assert keep(store, UP, 2.0)
    revision = store.revision()
    assert store.places() == [
        PlaceRow("uzh", "", "ssh:ann@uzh", None, None, "", None, 0, revision - 1),
        PlaceRow("uzh", "ann", "ssh:ann@uzh", True, 0.024, "", 2.0, 0, revision),
    ]
    # While it is down, the time of the last good look stays.
    assert keep(store, Line(False, None, "no route to host"), 30.0, questions=1)
    row = store.places()[1]
    assert (row.up, row.trouble, row.looked, row.question) == (False, "no route to host", 2.0, 1)


def test_looks_at_a_place_are_written_when_they_show_something(store: Writer) -> None:
    keep(store, UP, 100.0)
    revision = store.revision()
    assert not keep(store, Line(True, 0.031), 104.9)
    assert not keep(store, UP, 104.9)
    assert store.revision() == revision
    assert keep(store, Line(True, 0.031), 105.0)
    assert (store.places()[0].round_trip_s, store.places()[0].looked) == (0.031, 105.0)
    assert keep(store, Line(False, None, "gone"), 105.1)
    assert not keep(store, Line(False, None, "gone"), 500.0)
    assert keep(store, Line(False, None, "gone"), 500.0, questions=1)
    assert keep(store, UP, 501.0)


# Commands


def record(number: int, place: str = "sudo:ann") -> CommandRecord:
    return CommandRecord(float(number), place, f"squeue {number}", number % 2, 0.01, "out", "err")


def test_commands_are_kept_in_order_and_followed(store: Writer) -> None:
    assert store.commands() == []
    with store.change() as change:
        change.add_commands([record(1), record(2, "ssh:bob@x"), record(3)])
    first = store.commands()
    assert [row.command for row in first] == ["squeue 1", "squeue 2", "squeue 3"]
    assert (first[0].time, first[0].code, first[0].seconds, first[0].out, first[0].err) == (
        1.0,
        1,
        0.01,
        "out",
        "err",
    )
    assert [row.command for row in store.commands(place="sudo:ann")] == ["squeue 1", "squeue 3"]
    assert [row.command for row in store.commands(limit=2)] == ["squeue 2", "squeue 3"]
    with store.change() as change:
        change.add_commands([replace(record(4), code=None)])
    assert [(row.command, row.code) for row in store.commands(first[-1].id)] == [("squeue 4", None)]


def test_only_the_newest_commands_are_kept(store: Writer) -> None:
    with store.change() as change:
        change.add_commands(record(number) for number in range(COMMANDS_KEPT + 10))
    kept = store.commands(limit=10**6)
    assert len(kept) == COMMANDS_KEPT
    assert kept[0].command == "squeue 10"
    with store.change() as change:
        change.add_commands([record(7)])
    assert store.commands(limit=1)[0].id == COMMANDS_KEPT + 11


# The file


def test_a_change_that_changes_nothing_leaves_no_trace(story: Story) -> None:
    before = story.store.revision()
    with story.store.change() as change:
        change.update("runs", {"id": "no such"}, {"reason": "x"})
    assert story.store.revision() == before
    with story.store.change() as change:
        change.update("runs", {"id": RUN}, {"reason": "x"})
    assert story.store.revision() == before + 1


def test_an_older_file_keeps_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "runyard.db"
    old = sqlite3.connect(path, isolation_level=None)
    for script in MIGRATIONS[:2]:
        old.executescript(script)
    old.execute("PRAGMA user_version = 2")
    old.execute(
        "INSERT INTO runs (id, name, resource, state, created, folder, workdir, spec, revision) "
        "VALUES ('r', 'old', 'local', 'running', 1, '/f', '/w', '{}', 1)"
    )
    old.execute(
        "INSERT INTO batches (token, run, step, number, slots, state, folder, created, revision) "
        "VALUES ('t', 'r', 0, 0, 2, 'running', '/f/t', 1, 1)"
    )
    old.execute(
        'INSERT INTO tasks (run, "index", step, item, batch, state, revision) '
        "VALUES ('r', 0, 0, 'a', 't', 'running', 1)"
    )
    old.close()
    store = Writer.open(path)
    (batch,), (task,) = store.batches("r"), store.tasks("r")
    assert (batch.part, batch.hosts, batch.limit_s, batch.job_since) == (0, "", None, None)
    assert batch.partition == ""
    assert (task.item, task.cancelling) == ("a", False)
    assert store.places() == []
    store.close()


def test_a_file_is_migrated_once(store: Writer, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "runyard.db", isolation_level=None)
    migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    connection.close()
