"""The feed: pictures of a real store, made while somebody else writes to it."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.states import State
from runners.store.writer import Writer
from tests.tui import slurm_story, stores
from tui.feed import FIRST_TASKS, Feed, Gatherer, Picture


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "runyard.db"


@pytest.fixture
def writer(database: Path) -> Iterator[Writer]:
    writer = Writer.open(database)
    yield writer
    writer.close()


@pytest.fixture
def gatherer(database: Path) -> Iterator[Gatherer]:
    gatherer = Gatherer(database, lambda: False, lambda: stores.T0)
    yield gatherer
    gatherer.close()


def looked(gatherer: Gatherer, watched: str | None = None) -> Picture:
    picture = gatherer.look(watched)
    assert picture is not None
    return picture


def test_an_empty_store_is_a_picture_and_then_nothing_new(gatherer: Gatherer) -> None:
    picture = looked(gatherer)
    assert (picture.runs, picture.run, picture.problem, picture.read_at) == ({}, None, "", stores.T0)
    assert [gatherer.look() for _ in range(10)] == [None] * 10


def test_runs_come_newest_first_and_unchanged_rows_stay_the_same_objects(
    writer: Writer, gatherer: Gatherer
) -> None:
    stores.typical(writer)
    first = looked(gatherer)
    assert next(run.name for run in first.runs.values()) == "count-nuclei"
    with writer.change() as change:
        change.update("runs", {"id": "k3f9a2bc"}, {"cancelling": 1})
    second = looked(gatherer)
    assert second.runs["k3f9a2bc"].cancelling
    assert not first.runs["k3f9a2bc"].cancelling
    same = [run for run in first.runs if second.runs[run] is first.runs[run]]
    assert sorted([*same, "k3f9a2bc"]) == sorted(first.runs)
    stores.tell(writer, stores.Tale("newest00", "newest", items=["a"]))
    assert next(iter(looked(gatherer).runs)) == "newest00"


def test_clusters_are_in_the_picture_and_commands_only_where_they_are_wanted(
    writer: Writer, gatherer: Gatherer
) -> None:
    slurm_story.clusters(writer)
    first = looked(gatherer)
    assert first.on_clusters and first.commands == ()
    assert first.batches[slurm_story.RUN].as_dict()["pending"] == 5
    held = first.place_of(first.runs[slurm_story.LOST])
    assert held is not None and (held.resource, held.up) == ("etna", False)
    assert first.place_of(first.runs["7w2mh4ze"]) is None
    second = gatherer.look(commands=True)
    assert second is not None and len(second.commands) == 11
    assert gatherer.look(commands=True) is None
    with writer.change() as change:
        change.add_commands(slurm_story.COMMANDS[:2])
    third = gatherer.look(commands=True)
    assert third is not None and third.commands[:11] == second.commands and len(third.commands) == 13
    assert looked(gatherer).commands == ()


def test_a_command_that_nobody_looks_at_is_no_news(writer: Writer, gatherer: Gatherer) -> None:
    slurm_story.clusters(writer)
    looked(gatherer)
    # With the second look comes what time left is reckoned from.
    looked(gatherer)
    with writer.change() as change:
        change.add_commands(slurm_story.COMMANDS)
    assert gatherer.look() is None


def test_a_watched_run_is_shown_in_part_at_once_and_then_in_full(writer: Writer, gatherer: Gatherer) -> None:
    stores.tell(writer, stores.live(number=1000, ended=812))
    first = looked(gatherer, "k3f9a2bc").run
    assert first is not None
    assert (len(first.tasks), first.complete, len(first.slots), len(first.batches)) == (
        FIRST_TASKS,
        False,
        2,
        1,
    )
    second = looked(gatherer, "k3f9a2bc").run
    assert second is not None
    assert (list(second.tasks), second.complete) == (list(range(1000)), True)
    assert gatherer.look("k3f9a2bc") is None


def test_only_changed_tasks_are_read_anew(writer: Writer, gatherer: Gatherer) -> None:
    stores.tell(writer, stores.live(number=300, ended=100))
    looked(gatherer, "k3f9a2bc")
    before = looked(gatherer, "k3f9a2bc").run
    with writer.change() as change:
        change.update("tasks", {"run": "k3f9a2bc", "index": 100}, {"state": State.DONE.value})
    after = looked(gatherer, "k3f9a2bc").run
    assert before is not None and after is not None
    assert [index for index in before.tasks if before.tasks[index] is not after.tasks[index]] == [100]
    assert after.tasks[100].state is State.DONE
    assert before.tasks[100].state is State.RUNNING


def test_a_run_that_is_not_there_has_no_tasks_until_it_is(writer: Writer, gatherer: Gatherer) -> None:
    assert looked(gatherer, "k3f9a2bc").run is not None
    stores.tell(writer, stores.live(number=300, ended=100))
    run = looked(gatherer, "k3f9a2bc").run
    assert run is not None
    assert len(run.tasks) == 300


def test_a_store_that_is_gone_is_told_and_the_last_picture_stays(
    database: Path, writer: Writer, gatherer: Gatherer
) -> None:
    stores.typical(writer)
    known = looked(gatherer)
    for path in database.parent.glob("runyard.db*"):
        path.unlink()
    pictures = (gatherer.look() for _ in range(9))
    told = next(picture for picture in pictures if picture is not None and picture.problem)
    assert "is gone" in told.problem
    assert told.runs == known.runs
    assert not database.exists()
    assert all(gatherer.look() is None for _ in range(9))


def test_another_store_in_its_place_is_read_from_the_start(
    tmp_path: Path, database: Path, writer: Writer, gatherer: Gatherer
) -> None:
    stores.typical(writer)
    looked(gatherer)
    other = Writer.open(tmp_path / "other.db")
    for number in range(60):
        stores.tell(other, stores.Tale(f"other{number:03d}", "other", items=["a"]))
    other.close()
    for end in ("-wal", "-shm"):
        database.with_name(f"runyard.db{end}").unlink(missing_ok=True)
    os.replace(tmp_path / "other.db", database)
    for _ in range(9):
        gatherer.look()
    assert {run.name for run in gatherer.picture.runs.values()} == {"other"}
    assert gatherer.picture.problem == ""


def test_a_damaged_store_is_told_in_one_sentence_and_mended_later(
    tmp_path: Path, database: Path, writer: Writer, gatherer: Gatherer
) -> None:
    stores.typical(writer)
    looked(gatherer)
    writer.close()
    gatherer.close()
    whole = database.read_bytes()
    for end in ("-wal", "-shm"):
        database.with_name(f"runyard.db{end}").unlink(missing_ok=True)
    database.write_bytes(b"this is no store" * 64)
    told = next(picture for picture in (gatherer.look() for _ in range(9)) if picture is not None)
    assert "not a database" in told.problem
    assert len(told.runs) == 5
    database.write_bytes(whole)
    mended = next(picture for picture in (gatherer.look() for _ in range(9)) if picture is not None)
    assert mended.problem == ""


def test_a_locked_store_is_told_and_read_when_it_is_free(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.store.database._BUSY_S", 0.05)
    Writer.open(database).close()
    holder = sqlite3.connect(database, isolation_level=None)
    # Shuts readers out as well, as any writer does on a network file system.
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("UPDATE revision SET value = 1")
    gatherer = Gatherer(database, lambda: False)
    assert "locked" in looked(gatherer).problem
    holder.close()
    assert (
        next(picture for picture in (gatherer.look() for _ in range(9)) if picture is not None).problem == ""
    )
    gatherer.close()


def test_the_engine_coming_and_going_is_a_new_picture(database: Path) -> None:
    alive = True
    gatherer = Gatherer(database, lambda: alive)
    assert looked(gatherer).engine
    alive = False
    assert not next(picture for picture in (gatherer.look() for _ in range(9)) if picture is not None).engine
    gatherer.close()


def test_the_thread_delivers_and_ends(database: Path, writer: Writer) -> None:
    arrived = threading.Semaphore(0)
    pictures: list[Picture] = []

    def deliver(picture: Picture) -> None:
        pictures.append(picture)
        arrived.release()

    feed = Feed(Gatherer(database, lambda: False), deliver)
    feed.start()
    assert arrived.acquire(timeout=20)
    stores.tell(writer, stores.live(number=300, ended=100))
    assert arrived.acquire(timeout=20)
    feed.watch("k3f9a2bc")
    assert arrived.acquire(timeout=20)
    assert arrived.acquire(timeout=20)
    feed.close()
    run = pictures[-1].run
    assert run is not None
    assert len(run.tasks) == 300
    assert not any(thread.name == "feed" for thread in threading.enumerate())


def test_a_live_run_has_a_load_that_is_added_up_as_tasks_end(writer: Writer, gatherer: Gatherer) -> None:
    stores.tell(
        writer,
        stores.Tale(
            "l1vel1ve", "live", items=["a", "b", "c", "d"], states={0: State.DONE, 1: State.RUNNING}, began=20
        ),
    )
    looked(gatherer, "l1vel1ve")

    def end(index: int, wall_s: float) -> None:
        with writer.change() as change:
            change.update("tasks", {"run": "l1vel1ve", "index": index}, {"state": "failed", "wall_s": wall_s})
            change.recount("l1vel1ve")

    end(2, 4.8)
    first = looked(gatherer, "l1vel1ve").loads["l1vel1ve"]
    assert first.mean_s == pytest.approx((1.2 + 4.8) / 2)
    assert (first.slots, first.since) == (2, (stores.T0 - 12.0,))
    end(3, 6.0)
    assert looked(gatherer, "l1vel1ve").loads["l1vel1ve"].mean_s == pytest.approx(4.0)
    with writer.change() as change:
        change.update("runs", {"id": "l1vel1ve"}, {"state": "failed"})
    assert looked(gatherer, "l1vel1ve").loads == {}
