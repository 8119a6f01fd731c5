"""What is asked of a running batch: cancel a task, stop, the signals of a scheduler."""

import os
import signal
import time

import pytest

from tests.runners.worker_lab import Lab, lives, marked, recorded, running_and_oldest, until

pytestmark = running_and_oldest


def test_cancelling_a_running_and_a_pending_task_disturbs_no_other(lab: Lab) -> None:
    lab.fill([recorded(0, "sleep 50 & setsid sleep 50"), recorded(1, "sleep 1"), recorded(2), recorded(3)])
    lab.launch()
    lab.started(0), lab.started(1)
    lab.ask("cancel.2")
    until(lambda: lab.of("end"))
    lab.ask("cancel.0")
    ends = lab.finish()
    assert [(end["state"], end["why"]) for end in ends] == [
        ("cancelled", "cancelled"),
        ("done", ""),
        ("cancelled", "cancelled"),
        ("done", ""),
    ]
    assert ends[0]["signal"] == "SIGTERM"
    assert (ends[2]["slot"], ends[2]["wall"], ends[2]["log"]) == (None, 0.0, 0)
    assert lab.ran() == ["0", "1", "3"]
    assert lab.of("bye")[0]["counts"] == {"done": 2, "failed": 0, "cancelled": 2, "left": 0}
    until(lambda: not marked(lab.token))  # also what task 0 put into a session of its own


def test_a_cancelled_task_that_ignores_it_is_killed_after_the_grace(lab: Lab) -> None:
    lab.fill([["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]], grace=0.4)
    lab.launch()
    lab.started(0)
    until(lambda: lab.log(0).read_text())
    lab.ask("cancel.0")
    lab.ask("cancel.77")
    lab.ask("cancel.x")
    [end] = lab.finish()
    assert (end["state"], end["signal"]) == ("cancelled", "SIGKILL")


def test_a_cancellation_asked_for_before_the_start(lab: Lab) -> None:
    lab.fill([recorded(0), recorded(1)], slots=1)
    lab.ask("cancel.0")
    lab.launch()
    assert [end["state"] for end in lab.finish()] == ["cancelled", "done"]
    assert lab.ran() == ["1"]


def test_control_is_looked_at_anew_at_once_on_sigusr1(lab: Lab) -> None:
    lab.fill([["sleep", "50"]], control_poll=60)
    lab.launch()
    lab.started(0)
    lab.ask("cancel.0")
    os.kill(lab.coordinator(), signal.SIGUSR1)
    assert lab.finish(5)[0]["state"] == "cancelled"


@pytest.mark.parametrize("how", ["stop", "SIGTERM"])
def test_stop(lab: Lab, how: str) -> None:
    why = "cancelled" if how == "stop" else "terminated"
    lab.fill([recorded(0), recorded(1, "sleep 50"), recorded(2, "sleep 50"), recorded(3), recorded(4)])
    lab.launch()
    until(lambda: "2" in lab.ran())
    if how == "stop":
        lab.ask("stop")
    else:
        os.kill(lab.coordinator(), signal.SIGTERM)
    ends = lab.finish()
    assert [(end["i"], end["state"], end["why"]) for end in ends] == [
        (0, "done", ""),
        (1, "cancelled", why),
        (2, "cancelled", why),
    ]
    assert [(event["i"], event["why"]) for event in lab.of("left")] == [([[3, 4]], why)]
    [bye] = lab.of("bye")
    assert (bye["why"], bye["counts"]) == (why, {"done": 1, "failed": 0, "cancelled": 2, "left": 2})
    until(lambda: not lives(lab.coordinator()))
    assert lab.ran() == ["0", "1", "2"]
    assert not marked(lab.token)


def test_a_time_limit_warning_starts_nothing_more(lab: Lab) -> None:
    lab.fill([recorded(0, "sleep 0.6"), recorded(1, "sleep 50"), recorded(2)])
    lab.launch()
    lab.started(0), lab.started(1)
    os.kill(lab.coordinator(), signal.SIGUSR2)
    until(lambda: lab.of("end"))
    time.sleep(0.1)
    assert not lab.of("bye")
    os.kill(lab.coordinator(), signal.SIGTERM)
    ends = lab.finish()
    assert [(end["state"], end["why"]) for end in ends] == [
        ("done", ""),
        ("failed", "time limit of the job reached"),
    ]
    assert [(event["i"], event["why"]) for event in lab.of("left")] == [([[2, 2]], "time limit")]
    assert lab.of("bye")[0]["why"] == "time limit"


@pytest.mark.parametrize("agent", [[], ["env"]], ids=["local", "scheduled"])
def test_at_the_time_limit_a_slot_may_be_ended_first(lab: Lab, agent: list[str]) -> None:
    lab.fill([recorded(0, "sleep 50"), recorded(1, "sleep 50"), recorded(2)], agent=agent)
    lab.launch()
    lab.started(0), lab.started(1)
    os.kill(lab.coordinator(), signal.SIGUSR2)
    os.kill(lab.agent(0), signal.SIGTERM)
    os.kill(lab.agent(1), signal.SIGKILL)
    ends = lab.finish()
    assert {(end["state"], end["why"], end.get("again")) for end in ends} == {
        ("failed", "time limit of the job reached", None)
    }
    assert (lab.of("bye")[0]["why"], lab.of("bye")[0].get("again")) == ("time limit", None)


def test_a_signal_that_carries_out_a_cancel_is_that_cancel(lab: Lab) -> None:
    lab.fill([recorded(0, "sleep 50"), recorded(1, "sleep 50"), recorded(2)], control_poll=60, agent=["env"])
    lab.launch()
    lab.started(0), lab.started(1)
    os.kill(lab.coordinator(), signal.SIGUSR2)
    lab.ask("stop")
    os.kill(lab.coordinator(), signal.SIGTERM)
    ends = lab.finish(5)
    assert [(end["state"], end["why"], end.get("again")) for end in ends] == [
        ("cancelled", "cancelled", None)
    ] * 2
    assert [(left["i"], left["why"], left.get("again")) for left in lab.of("left")] == [
        ([[2, 2]], "cancelled", None)
    ]
    assert (lab.of("bye")[0]["why"], lab.of("bye")[0].get("again")) == ("cancelled", None)


def test_a_task_that_its_scheduler_ended_before_its_slot_is_no_failure(lab: Lab) -> None:
    """All processes of a step get the signal, and the task may be dead before its agent has read it."""
    lab.fill([["sleep", "50"], ["sh", "-c", "kill $$"], ["true"]], slots=1, agent=["env"], inherit=True)
    lab.launch()
    task = lab.started(0)
    os.kill(task, signal.SIGTERM)
    os.kill(lab.agent(0), signal.SIGTERM)
    ends = lab.finish()
    assert [(end["state"], end["why"], end.get("again")) for end in ends] == [
        ("cancelled", "terminated", True),
        ("failed", "killed by SIGTERM", None),
        ("done", "", None),
    ]
    assert (lab.of("bye")[0]["why"], lab.of("bye")[0]["again"]) == ("done", True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_started_while_a_scheduler_may_be_ending_the_job(lab: Lab, number: signal.Signals) -> None:
    lab.fill([recorded(0, "sleep 50"), recorded(1), recorded(2)], slots=1, agent=["env"])
    lab.launch()
    until(lambda: lab.of("start") and lab.ran())
    os.kill(lab.agent(0), number)
    until(lambda: lab.of("end"))
    time.sleep(0.3)
    os.kill(lab.coordinator(), signal.SIGTERM)
    [end] = lab.finish()
    assert (end["i"], end["again"]) == (0, True)
    assert [(left["i"], left["why"], left["again"]) for left in lab.of("left")] == [
        ([[1, 2]], "terminated", True)
    ]
    assert lab.ran() == ["0"]


def test_a_hangup_is_ignored(lab: Lab) -> None:
    lab.fill([["sleep", "0.3"]])
    lab.launch()
    lab.started(0)
    os.kill(lab.coordinator(), signal.SIGHUP)
    os.kill(lab.agent(0), signal.SIGHUP)
    assert lab.finish()[0]["state"] == "done"


@pytest.mark.parametrize(("agent", "again"), [([], None), (["env"], True)], ids=["local", "scheduled"])
def test_a_slot_that_is_terminated_ends_its_task_cleanly(
    lab: Lab, agent: list[str], again: bool | None
) -> None:
    lab.fill([["sleep", "50"], ["true"]], slots=1, agent=agent)
    lab.launch()
    lab.started(0)
    os.kill(lab.agent(0), signal.SIGTERM)
    ends = lab.finish()
    assert [(end["state"], end["why"], end.get("again")) for end in ends] == [
        ("cancelled", "terminated", again),
        ("done", "", None),
    ]
    assert lab.of("bye")[0]["why"] == "done"


def test_an_agent_that_hangs_cannot_hold_up_a_cancellation(lab: Lab) -> None:
    lab.fill([["sleep", "50"]], grace=0.1)
    lab.launch()
    lab.started(0)
    os.kill(lab.agent(0), signal.SIGSTOP)
    lab.ask("stop")
    [end] = lab.finish(30)
    assert (end["state"], end["why"]) == ("cancelled", "cancelled")
    until(lambda: not marked(lab.token))
