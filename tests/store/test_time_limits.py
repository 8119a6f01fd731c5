"""Jobs that reach their time limit: what they had no time for goes into new batches, as long as it helps."""

import pytest

from runners.batches import Life
from runners.states import State
from runners.store.verdicts import settle
from runners.store.workload import spec_of, steps_to_plan, tasks_to_plan
from runners.store.writer import Writer
from tests.store.story import Line, Story, bye, cut_off, end, ended_as, hello, left, start

TOO_SHORT = "not started: the time limit of the job is too short for one task"
LIMIT = "time limit of the job reached"


@pytest.fixture
def story(store: Writer) -> Story:
    """A step of five tasks, and one that waits for it."""
    return Story(store, 5, 1)


def waiting(story: Story, step: int = 0) -> list[int]:
    """What is to be put into batches, of a step that has begun."""
    assert steps_to_plan(story.store, story.run.id) in ([], [step])
    spec = spec_of(story.store, story.run.id)
    tasks = [task.index for task in tasks_to_plan(story.store, story.run.id, spec, step)]
    assert bool(tasks) == (steps_to_plan(story.store, story.run.id) == [step])
    return tasks


def ran_out(first: int) -> list[Line]:
    """One task done, one that the limit ended, and no time for the rest."""
    return [
        hello(),
        start(first),
        end(first),
        start(first + 1),
        end(first + 1, "failed", LIMIT),
        left((first + 2, 4), why="time limit"),
        bye("time limit"),
    ]


@pytest.mark.parametrize("cut_at", range(7))
def test_what_a_batch_had_no_time_for_is_put_into_another(story: Story, cut_at: int) -> None:
    first = story.batch(*range(5))
    assert waiting(story) == []
    assert story.look(first, *ran_out(0), cut_at=cut_at)
    assert story.states() == "dfpppp"
    assert waiting(story) == [2, 3, 4]
    row = story.row(first)
    assert (row.state, row.reason, row.counts.total) == (State.FAILED, "time limit", 2)
    assert not story.run.state.final
    assert [step.state for step in story.store.steps(story.run.id)] == [State.RUNNING, State.PENDING]
    second = story.batch(2, 3, 4)
    assert waiting(story) == []
    assert story.look(second, *ran_out(2), cut_at=cut_at)
    assert waiting(story) == [4]
    third = story.batch(4)
    assert story.look(third, hello(), start(4), end(4), bye())
    assert story.states() == "dfdfdc"
    assert story.counts() == (
        {"done": 3, "failed": 2, "cancelled": 1},
        {"done": 3, "failed": 2},
        {"cancelled": 1},
    )
    assert [story.row(token).counts.total for token in (first, second, third)] == [2, 2, 1]
    assert story.run.state is State.FAILED


@pytest.mark.parametrize("ended", [[], [hello()], [hello(), start(0), end(0, "failed", LIMIT, again=True)]])
def test_a_batch_that_brings_not_one_task_to_its_end_is_not_repeated(story: Story, ended: list[Line]) -> None:
    token = story.batch(*range(5))
    # More than one line of those, of which the first must not count as a task that ended.
    rest = [left((1, 1), why="time limit"), left((2, 4), why="time limit"), bye("time limit")]
    assert story.look(token, *ended, *([left((0, 0), why="time limit")] if len(ended) < 2 else []), *rest)
    assert waiting(story) == []
    assert set(story.reasons()[1:5]) == {TOO_SHORT}
    assert story.states() == "fffffc"
    assert story.run.state is State.FAILED


def test_a_worker_that_was_not_warned_leaves_its_tasks_to_others_too(story: Story) -> None:
    token = story.batch(*range(5))
    story.look(token, hello(), start(0), end(0), start(1))
    assert story.look(
        token, life=Life.GONE, job=ended_as("TIMEOUT"), why="time limit of the job (1:00) reached"
    )
    assert story.states() == "dfpppp"
    assert story.reasons()[1] == "time limit of the job (1:00) reached"
    assert waiting(story) == [2, 3, 4]
    other = story.batch(2, 3, 4)
    told = [hello(), start(2), cut_off(2), left((3, 4), why="terminated", again=True)]
    assert not story.look(other, *told, bye("terminated", again=True))
    assert story.look(other, life=Life.GONE, job=ended_as("TIMEOUT"))
    assert story.states() == "dffffc"
    assert story.reasons()[2:5] == [LIMIT, TOO_SHORT, TOO_SHORT]


def test_what_is_being_cancelled_is_not_put_into_another_batch(story: Story) -> None:
    token = story.batch(*range(5))
    with story.store.change() as change:
        change.update("tasks", {"run": story.run.id, "index": 3}, {"cancelling": 1})
    story.look(token, *ran_out(0))
    assert story.states() == "dfpcpp"
    assert waiting(story) == [2, 4]
    assert story.tasks()[3].cancelling is False


def test_of_a_run_that_is_being_cancelled_nothing_is(story: Story) -> None:
    token = story.batch(*range(5))
    with story.store.change() as change:
        change.update("runs", {"id": story.run.id}, {"cancelling": 1})
    story.look(token, *ran_out(0))
    assert story.states()[:5] == "dfccc"
    assert waiting(story) == []


def test_a_run_whose_last_tasks_come_back_has_not_ended(story: Story) -> None:
    token = story.batch(*range(5))
    story.look(token, hello(), start(0), end(0), left((1, 4), why="time limit"), bye("time limit"))
    with story.store.change() as change:
        assert not settle(change, story.run.id, now=1.0)
    assert story.row(token).state is State.DONE
    assert story.run.state is State.RUNNING
    other = story.batch(1, 2, 3, 4)
    story.look(other, hello(), *(line for i in range(1, 5) for line in (start(i), end(i))), bye())
    assert story.states() == "dddddp"
    assert [step.state for step in story.store.steps(story.run.id)] == [State.DONE, State.PENDING]
    assert waiting(story) == []
