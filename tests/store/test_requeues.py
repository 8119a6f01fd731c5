"""Batches that a scheduler starts again: what had come to its end keeps its verdict, the rest runs again."""

import itertools

import pytest

from runners.batches import Life
from runners.states import State
from runners.store.verdicts import doubt_batch, intend_cancel_of_batch
from runners.store.writer import Writer
from tests.store.story import (
    RUNNING,
    WAITING,
    Line,
    Story,
    bye,
    cut_off,
    end,
    ended_as,
    hello,
    left,
    start,
)

FIRST = [
    hello(),
    start(0),
    end(0),
    start(1),
    end(1, "failed", "exit code 1", exit=1),
    start(2),
    start(3),
    cut_off(2),
    cut_off(3),
    left((4, 5), why="terminated", again=True),
    bye("terminated", again=True),
]
AGAIN = [hello(1), start(2), start(3), end(2), start(4), end(3), start(5), end(4), end(5), bye()]


@pytest.fixture
def story(store: Writer) -> Story:
    """A step of six tasks in one batch, and one that waits for it."""
    return Story(store, 6, 2)


def check_end(story: Story, token: str) -> None:
    """The one true verdict of the story, however it was told."""
    assert story.states() == "dfddddcc"
    assert story.counts() == (
        {"done": 5, "failed": 1, "cancelled": 2},
        {"done": 5, "failed": 1},
        {"cancelled": 2},
    )
    assert (story.run.state, story.row(token).state) == (State.FAILED, State.FAILED)
    assert story.reasons()[:6] == ["", "exit code 1", "", "", "", ""]
    assert not story.store.slots()


def test_tasks_that_were_interrupted_wait_for_what_their_scheduler_does(story: Story) -> None:
    token = story.batch(*range(6))
    assert not story.look(token, *FIRST, job=RUNNING)
    assert story.states() == "dfuuppp" + "p"
    assert story.reasons()[2] == "interrupted: terminated"
    assert story.tasks()[2].worker_state == "interrupted"
    row = story.row(token)
    assert (row.worker_state, row.reason, row.state) == ("bye", "terminated", State.RUNNING)
    assert story.run.state is State.UNKNOWN
    assert not story.run.state.final
    assert [step.state.final for step in story.store.steps(story.run.id)] == [False, False]


def test_a_requeued_batch_is_pending_again_and_runs_what_is_left(story: Story) -> None:
    token = story.batch(*range(6))
    story.look(token, *FIRST, job=RUNNING)
    assert not story.look(token, job=WAITING, requeued=True)
    assert story.states() == "dfpppppp"
    row = story.row(token)
    assert (row.state, row.worker_state, row.reason, row.ended) == (State.PENDING, "", "", None)
    assert (row.scheduler_state, row.scheduler_reason, row.job_since) == ("PENDING", "BeginTime", None)
    task = story.tasks()[2]
    assert (task.started, task.ended, task.signal, task.slot, task.wall_s) == (None, None, None, None, None)
    assert story.run.state is State.RUNNING
    story.look(token, restart=1, job=RUNNING)
    assert story.look(token, *AGAIN, job=RUNNING)
    check_end(story, token)
    kinds = [event.kind for event in story.store.events(story.run.id)]
    assert kinds.count("requeued") == 1


def test_looks_at_a_batch_that_waits_again_write_nothing(story: Story) -> None:
    token = story.batch(*range(6))
    story.look(token, *FIRST, job=RUNNING)
    story.look(token, job=WAITING, requeued=True)
    before = story.store.revision()
    for _ in range(3):
        story.look(token, job=WAITING, requeued=True)
    assert story.store.revision() == before


@pytest.mark.parametrize("first", range(1, len(FIRST) + 1))
def test_a_host_that_dies_anywhere(story: Story, first: int) -> None:
    """The events of the first start end after so many lines, and the scheduler is never seen to requeue."""
    token = story.batch(*range(6))
    told = FIRST[:first]
    story.look(token, *told)
    story.look(token, restart=1)
    ended = {line["i"] for line in told if line["e"] == "end" and not line.get("again")}
    assert [story.states()[index] == "p" for index in range(6)] == [index not in ended for index in range(6)]
    lines: list[Line] = [hello(1)]
    for index in range(6):
        if index not in ended:
            lines += [start(index), end(1, "failed", "exit code 1") if index == 1 else end(index)]
    assert story.look(token, *lines, bye())
    check_end(story, token)


@pytest.mark.parametrize("cut_at", range(len(AGAIN)))
def test_looks_that_end_anywhere(story: Story, cut_at: int) -> None:
    token = story.batch(*range(6))
    story.look(token, *FIRST, cut_at=cut_at)
    story.look(token, restart=1)
    assert story.look(token, *AGAIN, cut_at=cut_at)
    check_end(story, token)


def test_the_last_lines_of_the_first_start_may_come_after_the_requeue_was_seen(story: Story) -> None:
    token = story.batch(*range(6))
    for first, last in itertools.pairwise([0, 4, 6, len(FIRST)]):
        story.look(token, *FIRST[first:last], job=WAITING, requeued=True)
        assert "r" not in story.states() and "u" not in story.states()
    story.look(token, restart=1)
    story.look(token, *AGAIN)
    check_end(story, token)


def test_parts_of_event_files_are_read_on_in_the_next_start_from_their_beginning(story: Story) -> None:
    token = story.batch(*range(6))
    story.look(token, *FIRST[:4], {"e": "next"})
    row = story.row(token)
    assert (row.restart, row.part, row.offset) == (0, 1, 0)
    story.look(token, *FIRST[4:])
    assert story.row(token).offset > 0
    story.look(token, restart=1)
    row = story.row(token)
    assert (row.restart, row.part, row.offset) == (1, 0, 0)
    assert story.look(token, *AGAIN)
    check_end(story, token)
    assert all(event.kind != "next" for event in story.store.events(story.run.id))


def test_a_task_whose_cancel_was_asked_for_is_cancelled_by_the_next_start(story: Story) -> None:
    token = story.batch(*range(6))
    story.look(token, *FIRST)
    with story.store.change() as change:
        change.update("tasks", {"run": story.run.id, "index": 3}, {"cancelling": 1})
    story.look(token, requeued=True, job=WAITING)
    assert [task.index for task in story.store.cancelling_tasks(story.run.id)] == [3]
    story.look(token, restart=1)
    told = [line if line != end(3) else end(3, "cancelled", "cancelled") for line in AGAIN]
    story.look(token, *told)
    assert story.states() == "dfdcddcc"
    assert story.store.cancelling_tasks(story.run.id) == []


CLOSINGS = {
    "cancelled": (ended_as("CANCELLED"), "", "c", "cancelled from outside", "cancelled from outside"),
    "cancelled by": (
        ended_as("CANCELLED"),
        "cancelled from outside by root",
        "c",
        "cancelled from outside by root",
        "cancelled from outside by root",
    ),
    "node": (ended_as("NODE_FAIL"), "node c1 failed", "f", "node c1 failed", "not started: node c1 failed"),
    "silent": (None, "", "c", "terminated", "not started: terminated"),
}


@pytest.mark.parametrize("how", CLOSINGS)
def test_a_batch_that_is_not_started_again(story: Story, how: str) -> None:
    job, why, state, reason, before = CLOSINGS[how]
    token = story.batch(*range(6))
    story.look(token, *FIRST, job=RUNNING)
    assert story.look(token, job=job, life=Life.GONE, why=why)
    waiting = "c" if how.startswith("cancelled") else "f"
    assert story.states() == f"df{state}{state}{waiting}{waiting}cc"
    assert story.reasons()[:6] == ["", "exit code 1", reason, reason, before, before]
    row = story.row(token)
    assert row.worker_state == "bye"
    assert row.scheduler_state == (job.state if job else "gone")
    assert story.run.state.final
    assert story.run.state is State.FAILED
    assert all(task.ended for task in story.tasks())


def test_a_worker_that_died_without_a_word(story: Story) -> None:
    token = story.batch(*range(6))
    story.look(token, *FIRST[:7])
    assert story.look(token, life=Life.GONE, why="node c1 failed")
    assert story.states() == "dfffffcc"
    died, before = "node c1 failed", "not started: node c1 failed"
    assert story.reasons()[2:6] == [died, died, before, before]
    row = story.row(token)
    assert (row.worker_state, row.reason) == ("lost", "node c1 failed")
    assert story.run.reason == "node c1 failed"


def test_a_cancel_that_was_asked_for_is_the_reason_for_the_end_it_brings(story: Story) -> None:
    token = story.batch(*range(6))
    with story.store.change() as change:
        change.update("runs", {"id": story.run.id}, {"cancelling": 1})
    story.look(token, *FIRST)
    story.look(token, job=ended_as("CANCELLED"), life=Life.GONE, why="cancelled by uid 1000")
    assert story.states() == "dfcccccc"
    assert set(story.reasons()[2:6]) == {"cancelled"}
    assert (story.run.state, story.run.cancelling) == (State.CANCELLED, False)


def test_a_batch_whose_cancel_was_asked_for_was_not_cancelled_from_outside(story: Story) -> None:
    token = story.batch(*range(6))
    story.look(token, job=WAITING)
    with story.store.change() as change:
        assert intend_cancel_of_batch(change, story.run.id, token)
    story.look(token, job=ended_as("CANCELLED"), life=Life.GONE, why="cancelled from outside")
    assert set(story.reasons()[:6]) == {"cancelled"}
    assert story.row(token).reason == "cancelled"


def test_a_slot_that_died_has_its_verdict_when_the_batch_ends_by_itself(story: Story) -> None:
    token = story.batch(0, 1)
    story.batch(2, 3, 4, 5)
    died = "slot agent died (exit code 137)"
    told = [hello(), start(0), cut_off(0, "failed", died), start(1)]
    assert not story.look(token, *told)
    assert story.states()[:2] == "ur"
    assert story.look(token, end(1), bye())
    assert story.states()[:2] == "fd"
    assert story.reasons()[0] == died
    assert story.row(token).state is State.FAILED


DIED = "slot agent died (exit code 0)"
THROUGH = [
    hello(),
    start(0),
    cut_off(0, "failed", DIED),
    *(line for index in range(1, 6) for line in (start(index), end(index))),
    bye(again=True),
]


def test_a_worker_that_lost_a_slot_does_not_have_the_last_word(story: Story) -> None:
    token = story.batch(*range(6))
    assert not story.look(token, *THROUGH, job=RUNNING)
    assert story.states()[:6] == "uddddd"
    assert not story.run.state.final
    assert story.look(token, job=ended_as("COMPLETED"), life=Life.GONE)
    assert story.states() == "fddddd" + "cc"
    assert story.reasons()[0] == DIED
    row = story.row(token)
    assert (row.worker_state, row.reason, row.scheduler_state) == ("bye", "", "COMPLETED")


def test_a_lost_slot_was_the_first_sign_of_a_requeue(story: Story) -> None:
    token = story.batch(*range(6))
    story.look(token, *THROUGH, job=RUNNING)
    story.look(token, job=WAITING, requeued=True)
    assert story.states()[:6] == "pddddd"
    story.look(token, restart=1)
    assert story.look(token, hello(1), start(0), end(0), bye())
    assert story.states()[:6] == "dddddd"
    assert story.run.state is State.RUNNING


def test_a_worker_that_nobody_starts_again_has_the_last_word(story: Story) -> None:
    token = story.batch(*range(6))
    told = [line for line in FIRST if line["e"] in ("hello", "start") and line.get("i", 0) < 2]
    told += [end(0), end(1, "cancelled", "terminated"), left((2, 5), why="terminated"), bye("terminated")]
    assert story.look(token, *told)
    assert story.states() == "dcffff" + "cc"
    assert story.reasons()[1:3] == ["terminated", "not started: terminated"]


def test_an_interrupted_task_stays_so_while_nobody_can_tell(story: Story) -> None:
    token = story.batch(*range(6))
    story.look(token, *FIRST[:8])
    with story.store.change() as change:
        doubt_batch(change, change.batch(token), "not to be seen")
    assert story.states()[2:4] == "uu"
    story.look(token, *FIRST[8:10])
    assert story.states()[2:4] == "uu"
    assert story.row(token).reason == ""
