"""Whether a batch lives: what looks tell, and what they do not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.batches import Cursor, Life
from runners.slurm.life import Claim, Judgement, Patience, Sight, Story, judge, look_at_claim
from runners.slurm.listings import QueuedJob
from runners.slurm.notation import JobId
from runners.slurm.states import COMES_BACK, JOB_STATES, Phase

PATIENCE = Patience(absent_s=60, absent_looks=3, ended_s=10, ended_looks=2, silent_s=30)
NATIVE = 7


def row(state: str | None = "RUNNING", job: int = NATIVE, **more: Any) -> QueuedJob:
    values: dict[str, Any] = {
        "id": JobId(job),
        "state": state,
        "said": state or "NEW_WORD",
        "elapsed_s": 5.0,
        "limit_s": 60.0,
        "nodes": 1,
        "cpus": 1,
        "memory_mb": 100.0,
        "partition": "main",
        "user": "a",
        "uid": 1001,
        "hosts": "" if state == "PENDING" else "c1",
        "reason": "None",
        "name": "ry-1",
    }
    return QueuedJob(**(values | more))


def sight(at: float, *rows: QueuedJob, **more: Any) -> Sight:
    values: dict[str, Any] = {
        "rows": rows,
        "asked": True,
        "cursor": Cursor(),
        "heard": False,
        "left": False,
        "unread": False,
        "claimed": True,
        "claim": None,
    }
    return Sight(at=at, **(values | more))


class Watcher:
    """Looks, one after the other."""

    def __init__(self, *, begun: bool = False) -> None:
        self.story = Story(heard=0.0, begun=begun)

    def look(self, at: float, *rows: QueuedJob, **more: Any) -> Judgement:
        self.story, judgement = judge(self.story, sight(at, *rows, **more), NATIVE, PATIENCE)
        return judgement

    def lives(self, at: float, *rows: QueuedJob, **more: Any) -> Life:
        return self.look(at, *rows, **more).life


def test_what_is_in_the_queue_lives() -> None:
    watcher = Watcher()
    for at, state in enumerate(["PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", None]):
        assert watcher.lives(at * 100.0, row(state)) is Life.ALIVE


def test_absence_counts_after_a_time_and_a_number_of_looks() -> None:
    watcher = Watcher()
    watcher.look(0, row())
    assert [watcher.lives(at) for at in (10, 69, 70)] == [Life.ALIVE, Life.ALIVE, Life.GONE]
    watcher = Watcher()
    watcher.look(0, row())
    assert [watcher.lives(at) for at in (10, 100, 101)] == [Life.ALIVE, Life.ALIVE, Life.GONE]


def test_absence_begins_anew_when_the_job_is_seen_or_its_worker_heard() -> None:
    watcher = Watcher()
    for at in (0, 50):
        assert watcher.lives(at) is Life.ALIVE
    watcher.look(59, row())
    for at in (60, 90):
        assert watcher.lives(at) is Life.ALIVE
    assert watcher.lives(125, heard=True) is Life.ALIVE
    for at in (130, 180):
        assert watcher.lives(at) is Life.ALIVE
    assert watcher.lives(185) is Life.GONE


def test_a_question_without_an_answer_tells_nothing() -> None:
    watcher = Watcher()
    watcher.look(0, row())
    for at in range(10, 1000, 10):
        assert watcher.lives(at, asked=False) is Life.ALIVE
    assert watcher.lives(1000) is Life.ALIVE


@pytest.mark.parametrize("state", sorted(w for w, p in JOB_STATES.items() if p is Phase.ENDED))
def test_an_end_counts_when_it_was_seen_again(state: str) -> None:
    watcher = Watcher()
    watcher.look(0, row())
    told = [watcher.lives(at, row(state)) for at in (10, 15, 20)]
    stays = state in COMES_BACK
    assert told == [Life.ALIVE, Life.ALIVE, Life.ALIVE if stays else Life.GONE]
    if stays:
        assert [watcher.lives(at) for at in (30, 60, 90)] == [Life.ALIVE, Life.ALIVE, Life.GONE]


def test_an_end_waits_for_all_that_the_worker_wrote() -> None:
    watcher = Watcher(begun=True)
    for at, more in enumerate(({}, {"unread": True}, {"heard": True}, {"claimed": False})):
        assert watcher.lives(at * 20, row("COMPLETED"), **more) is Life.ALIVE
    assert watcher.lives(100, row("COMPLETED")) is Life.GONE


def test_a_worker_that_has_left_is_not_waited_for() -> None:
    watcher = Watcher()
    watcher.look(0, row(), heard=True)
    assert watcher.lives(1, row("COMPLETING"), heard=True, left=True) is Life.ALIVE
    assert watcher.lives(2, row("CANCELLED")) is Life.GONE


def test_a_job_that_never_had_a_node_is_not_waited_for() -> None:
    watcher = Watcher()
    watcher.look(0, row("PENDING"))
    assert watcher.lives(1, row("CANCELLED", hosts="", elapsed_s=0.0)) is Life.GONE


def test_back_in_the_queue_is_told_once() -> None:
    watcher = Watcher()
    watcher.look(0, row(), heard=True)
    assert watcher.look(1, row("PENDING"), heard=True, unread=True).requeued is False
    assert watcher.look(2, row("PENDING")).requeued is True
    assert watcher.look(3, row("PENDING")).requeued is False
    # Something of the earlier start came late: what that changed is to be taken back.
    assert watcher.look(4, row("PENDING"), heard=True).requeued is True


def test_back_in_the_queue_by_way_of_completing() -> None:
    watcher = Watcher()
    watcher.look(0, row(), heard=True)
    watcher.look(1, row("COMPLETING", elapsed_s=0.0))
    assert watcher.look(2, row("PENDING")).requeued is True


def test_a_job_that_waits_for_its_first_start_is_not_back() -> None:
    assert Watcher().look(0, row("PENDING")).requeued is False


def test_the_next_start_is_read_when_the_one_before_has_been() -> None:
    watcher = Watcher(begun=True)
    claim = Claim(NATIVE, 2)
    told = watcher.look(0, row(), claim=claim, unread=True, heard=True)
    assert (told.cursor, told.more) == (Cursor(), False)
    told = watcher.look(1, row(), claim=claim, cursor=Cursor(0, 99))
    assert (told.cursor, told.more, told.life) == (Cursor(1), True, Life.ALIVE)
    told = watcher.look(2, row(), cursor=Cursor(1))
    assert told.cursor == Cursor(2)
    told = watcher.look(3, row(), cursor=Cursor(2))
    assert (told.cursor, told.more) == (Cursor(2), False)


def test_the_job_that_claimed_the_batch_is_the_one_that_counts() -> None:
    watcher = Watcher()
    claim = Claim(8, 0)
    rows = (row("COMPLETED"), row("RUNNING", 8))
    for at in (0, 20, 40):
        assert watcher.lives(at, *rows, claim=claim) is Life.ALIVE
    assert watcher.look(60, row("RUNNING"), row("FAILED", 8)).shown == row("FAILED", 8)
    assert watcher.lives(80, row("RUNNING"), row("FAILED", 8)) is Life.GONE


def test_without_a_claim_a_job_that_lives_counts() -> None:
    watcher = Watcher()
    for at in (0, 20, 40):
        assert watcher.lives(at, row("CANCELLED"), row("PENDING", 9)) is Life.ALIVE


def test_a_new_word_keeps_the_last_one() -> None:
    watcher = Watcher()
    assert watcher.look(0, row(None)).shown is None
    watcher.look(1, row("PENDING"))
    shown = watcher.look(2, row(None)).shown
    assert shown is not None
    assert shown.state == "PENDING"


@pytest.mark.parametrize(
    ("story", "now", "worth"),
    [
        (None, 0, True),
        (Story(0, begun=False, job=row("PENDING")), 999, False),
        (Story(0, begun=False, job=row()), 1, True),
        (Story(0, begun=True, job=row()), 1, True),
        (Story(0, begun=True, job=row(), claim=Claim(7, 0)), 29, False),
        (Story(0, begun=True, job=row(), claim=Claim(7, 0)), 30, True),
        (Story(0, begun=False, job=row("PENDING"), claim=Claim(7, 0)), 1, True),
        (Story(0, begun=True, job=row("COMPLETED"), claim=Claim(7, 0)), 1, True),
        (Story(0, begun=True, job=row(), claim=Claim(7, 0), left=True), 1, True),
    ],
)
def test_when_the_claim_is_worth_a_look(story: Story | None, now: float, worth: bool) -> None:
    assert look_at_claim(story, now, PATIENCE) is worth


def test_a_start_between_two_looks_shows_in_the_time_of_the_job() -> None:
    watcher = Watcher(begun=True)
    watcher.look(0, row(elapsed_s=100.0), claim=Claim(NATIVE, 0))
    assert not look_at_claim(watcher.story, 1, PATIENCE)
    watcher.look(1, row(elapsed_s=2.0))
    assert look_at_claim(watcher.story, 1, PATIENCE)


@pytest.mark.parametrize(
    ("data", "claim"),
    [
        (json.dumps({"id": "12", "restart": 1}).encode(), Claim(12, 1)),
        (json.dumps({"id": "12.345", "restart": 0}).encode(), Claim(None, 0)),
        (b"", None),
        (b"[]", None),
        (b'{"id": "1"}', None),
        (b"\xff", None),
    ],
)
def test_claims(data: bytes, claim: Claim | None) -> None:
    assert Claim.read(data) == claim


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from([None, *JOB_STATES]),
        st.integers(6, 8),
        elapsed_s=st.sampled_from([None, 0.0, 5.0]),
        hosts=st.sampled_from(["", "c1"]),
    ),
    max_size=2,
)
SIGHTS = st.builds(
    Sight,
    at=st.just(0.0),
    rows=ROWS,
    asked=st.booleans(),
    cursor=st.just(Cursor()),
    heard=st.booleans(),
    left=st.booleans(),
    unread=st.booleans(),
    claimed=st.booleans(),
    claim=st.sampled_from([None, Claim(7, 0), Claim(8, 0), Claim(7, 1)]),
)


@given(st.lists(st.tuples(SIGHTS, st.floats(0, 100)), min_size=1, max_size=8))
def test_nothing_is_gone_that_may_live(looks: list[tuple[Sight, float]]) -> None:
    story, now = Story(heard=0.0, begun=False), 0.0
    for seen, pause in looks:
        now += pause
        here = replace(seen, at=now, left=seen.left and seen.heard)
        story, told = judge(story, here, NATIVE, PATIENCE)
        if told.life is Life.GONE:
            assert here.claimed
            assert not here.heard
            assert not here.unread
            phases = {JOB_STATES[one.state or "RUNNING"] for one in here.rows}
            if here.rows:
                assert Phase.ENDED in phases
            else:
                assert here.asked
                assert now >= PATIENCE.absent_s
        if told.requeued:
            assert told.life is Life.ALIVE
