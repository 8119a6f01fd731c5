"""How clusters stand, and batches in words: without a screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runners.batches import Line
from runners.states import State
from runners.store.rows import BatchRow, Counts, PlaceRow, RunRow
from runners.store.writer import Writer
from tests.tui import slurm_story
from tests.tui.slurm_story import HELD, LOST, RUN
from tests.tui.stores import T0
from tui.batch_words import (
    batch_sign,
    elapsed_words,
    host_words,
    id_words,
    limit_words,
    scheduler_words,
    why_words,
)
from tui.standing import Standing, clock, reached_words, standings, trouble_words, unseen_words


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer.open(tmp_path / "runyard.db")
    slurm_story.clusters(writer)
    yield writer
    writer.close()


def place(**facts: Any) -> PlaceRow:
    row = PlaceRow("alps", "mira", "ssh:mira@alps", True, 0.024, "", T0, 0, 1)
    return replace(row, **facts)


def found(store: Writer) -> list[Standing]:
    return standings(store.runs(), store.open_batches(), store.places())


def test_the_most_troubled_come_first(store: Writer) -> None:
    assert [(each.name, each.sign.word, each.work) for each in found(store)] == [
        ("etna as mira", "unreachable", "1 batch running, 0 pending"),
        ("alps as mira", "up", "2 batches running, 5 pending"),
    ]
    with store.change() as change:
        change.keep_place("alps", "mira", slurm_story.ALPS, Line(True, 0.02), now=T0, questions=1)
        change.keep_place("zinal", "mira", "ssh:mira@zinal", Line(None), now=T0, questions=1)
        change.keep_place("idle", "mira", "ssh:mira@idle", Line(False, None, "Gone."), now=T0)
    assert [(each.resource, each.sign.word) for each in found(store)] == [
        ("alps", "asks"),
        ("zinal", "asks"),
        ("etna", "unreachable"),
    ]


def test_a_cluster_that_nobody_has_tried_is_told_so(store: Writer) -> None:
    with store.change() as change:
        change.execute("DELETE FROM places")
    assert {each.sign.word for each in found(store)} == {"not tried"}
    assert [each.age(T0) + each.round_trip for each in found(store)] == ["", ""]


def test_what_has_ended_and_this_machine_are_no_clusters_in_use(store: Writer) -> None:
    with store.change() as change:
        change.execute("UPDATE runs SET state = 'done'")
    assert found(store) == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-2, "just now"), (14.9, "just now"), (15, "15 s ago"), (59, "30 s ago"), (61, "1 min ago")],
)
def test_ages_go_in_steps(seconds: float, words: str) -> None:
    assert Standing("alps", "mira", place(looked=T0 - seconds), 1, 1).age(T0) == words


def test_a_healthy_cluster_is_drawn_anew_four_times_a_minute_at_most() -> None:
    standing = Standing("alps", "mira", place(), 1, 1)
    assert len({standing.age(T0 + second) for second in range(60)}) == 3


def test_the_age_of_what_can_t_be_reached_stands_still() -> None:
    standing = Standing("alps", "mira", place(up=False, trouble="No route."), 1, 1)
    assert {standing.age(T0 + second) for second in range(300)} == {"stale, as of 14:13:20"}


def test_another_day_is_told() -> None:
    assert (clock(T0, T0 + 60), clock(T0, T0 + 86_400)) == ("14:13:20", "2026-09-21 14:13")


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (RUN, ""),
        (HELD, slurm_story.HELD_BACK),
        (LOST, f"etna can't be reached: {slurm_story.NO_ROUTE} What is shown is as of 14:08:08."),
    ],
)
def test_why_a_run_does_not_go_on(store: Writer, run: str, sentence: str) -> None:
    row = store.run(run)
    places = {(each.resource, each.profile): each for each in store.places()}
    there = places[row.resource, row.profile or ""]
    assert trouble_words(row, there, T0) == sentence
    assert trouble_words(replace(row, state=State.DONE), there, T0) == ""


def test_who_can_answer_is_told_how(store: Writer) -> None:
    row = store.run(RUN)
    asked = place(question=1)
    assert unseen_words(row, asked, T0).endswith("F2 shows what.")
    assert unseen_words(row, asked, T0, answer="`x`").endswith("`x` shows what.")


def test_how_it_was_reached_in_one_line() -> None:
    assert reached_words(place(), T0) == "up, 24 ms, just now"
    gone = place(up=False, round_trip_s=None, trouble="No route to alps.")
    assert reached_words(gone, T0 + 600) == "unreachable, stale, as of 14:13:20: No route to alps."
    assert reached_words(None, T0) == reached_words(place(up=None), T0) == ""


def test_runs_of_a_resource_with_two_profiles_are_kept_apart() -> None:
    def run(profile: str) -> RunRow:
        return RunRow(
            profile, "n", "alps", profile, None, State.RUNNING, "", 0, 0, None, Counts(), "", "", False, 1
        )

    batches = {"mira": Counts(running=1), "boss": Counts(running=2, pending=3)}
    both = standings([run("mira"), run("boss")], batches, [place()])
    assert [(each.profile, each.running, each.pending) for each in both] == [("boss", 2, 3), ("mira", 1, 0)]


def batches(store: Writer) -> list[BatchRow]:
    return store.batches(RUN)


def test_batches_of_a_cluster_in_words(store: Writer) -> None:
    rows = batches(store)
    assert [batch_sign(row).word for row in rows[2:7]] == [
        "failed",
        "running",
        "running",
        "requeued",
        "pending",
    ]
    assert [why_words(row) for row in rows[2:]] == [
        "out of memory: asked 2 GB, reached 3.1 GB",
        "",
        "",
        "put back into the queue",
        "waiting for free nodes",
        "waiting for jobs with higher priority",
        "waiting for jobs with higher priority",
        "waiting: you have as many running jobs as the QOS allows one user",
    ]
    assert [scheduler_words(row) for row in rows[4:7]] == ["RUNNING", "REQUEUED", "PENDING (Resources)"]
    assert [elapsed_words(row, T0) for row in rows[3:7]] == ["0:08:02", "0:03:27", "", ""]
    assert {limit_words(row) for row in rows} == {"2:00:00"}
    assert host_words(rows[0]) == "cn[07-08]" and host_words(rows[6]) == ""


def test_words_that_nobody_knows_are_shown_as_they_are(store: Writer) -> None:
    odd = replace(batches(store)[7], scheduler_state="HIBERNATING", scheduler_reason="Weather")
    assert (why_words(odd), scheduler_words(odd)) == ("Weather", "HIBERNATING (Weather)")


@pytest.mark.parametrize(
    ("native_id", "words"),
    [("4242.1790", "pid 4242"), ("40114", "40114"), ("40114;alps", "40114 on alps"), ("", "")],
)
def test_names_of_batches(store: Writer, native_id: str, words: str) -> None:
    assert id_words(replace(batches(store)[0], native_id=native_id)) == words


def test_a_batch_of_this_machine_has_no_scheduler(store: Writer) -> None:
    (row,) = store.batches("7w2mh4ze")
    assert (scheduler_words(row), limit_words(row), host_words(row)) == ("", "", "node-1")
    assert limit_words(replace(row, limit_s=-1)) == "none"
