"""What becomes of tasks, by what their workers tell."""

from __future__ import annotations

from typing import Any

from runners.events import Event
from runners.outcomes import Outcomes


def event(kind: str, **detail: Any) -> Event:
    return Event(1, 1.0, kind, detail)


def end(index: int, state: str = "done", why: str = "", **more: Any) -> Event:
    return event("end", i=index, state=state, why=why, **more)


def reasons(outcomes: Outcomes) -> dict[int, str]:
    return {index: str(error) for index, error in outcomes.exceptions.items()}


def test_results_and_failures() -> None:
    outcomes = Outcomes()
    left = outcomes.take_in(
        [
            event("start", i=0),
            end(0, result={"a": 1}),
            end(1),
            end(2, "failed", "exit code 3", exit=3),
            end(3, result_path="/x"),
            event("left", i=[[4, 5]], why="cancelled"),
        ]
    )
    assert left == []
    assert outcomes.results == {0: {"a": 1}, 1: None}
    assert reasons(outcomes) == {2: "exit code 3", 4: "not started: cancelled", 5: "not started: cancelled"}
    assert outcomes.wanted == {3: "/x"}
    assert all(index in outcomes for index in range(6))
    outcomes.found(3, [1])
    assert outcomes.results[3] == [1]


def test_a_result_that_is_lost() -> None:
    outcomes = Outcomes()
    outcomes.take_in([end(0, result_path="/x")])
    outcomes.lost(0, "it is not there")
    assert reasons(outcomes) == {0: "its result can't be read: it is not there"}
    assert outcomes.wanted == {}


def test_the_first_verdict_stays() -> None:
    outcomes = Outcomes()
    outcomes.take_in([end(0, result=1)])
    outcomes.fail([0, 1], "lost")
    assert (outcomes.results, reasons(outcomes)) == ({0: 1}, {1: "lost"})


def test_what_a_job_had_no_time_for_waits() -> None:
    outcomes = Outcomes()
    assert outcomes.take_in([event("left", i=[[1, 2], [5, 5]], why="time limit")]) == [1, 2, 5]
    assert outcomes.exceptions == {}


def test_what_was_interrupted_runs_again() -> None:
    outcomes = Outcomes()
    terminated = [
        event("start", i=0),
        end(0, "cancelled", "terminated", again=True),
        event("left", i=[[1, 1]], why="terminated", again=True),
    ]
    assert outcomes.take_in(terminated) == []
    assert 0 not in outcomes
    outcomes.take_in([event("start", i=0), end(0), end(1)])
    assert outcomes.results == {0: None, 1: None}


def test_the_end_of_a_batch_is_the_end_of_its_tasks() -> None:
    told = [
        end(0),
        event("start", i=1),
        event("start", i=2),
        end(2, "cancelled", "terminated", again=True),
    ]
    outcomes = Outcomes()
    outcomes.take_in(told)
    outcomes.bury(range(4), "node failure (c1)")
    assert reasons(outcomes) == {
        1: "node failure (c1)",
        2: "node failure (c1)",
        3: "not started: node failure (c1)",
    }
    outcomes = Outcomes()
    outcomes.take_in(told)
    outcomes.bury(range(4), "")
    assert reasons(outcomes) == {
        1: "worker died",
        2: "terminated",
        3: "worker died before this task started",
    }
