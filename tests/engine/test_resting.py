"""Places that can't be reached, and whose turn it is to try them."""

import pytest

from runners.engine.resting import Rests


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands still until it is changed; no pause is cut at random."""
    now = [100.0]
    monkeypatch.setattr("runners.engine.resting.time.monotonic", lambda: now[0])
    monkeypatch.setattr("runners.engine.resting.random.uniform", lambda _, most: most)
    return now


def test_of_many_that_wait_one_tries_at_a_time_and_less_and_less_often(clock: list[float]) -> None:
    rests = Rests()
    assert rests.may_try("far")
    # All that had begun before it was known.
    for _ in range(5):
        rests.missed("far", "It is down.")
    pauses = []
    for _ in range(8):
        assert not rests.may_try("far")
        pauses.append(rests.left_s("far"))
        clock[0] += rests.left_s("far")
        assert rests.may_try("far")
        assert not rests.may_try("far")
        rests.missed("far", "It is still down.")
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert rests.trouble("far") == "It is still down."
    assert rests.may_try("near")


def test_who_reaches_a_place_ends_its_rest(clock: list[float]) -> None:
    rests = Rests()
    rests.missed("far", "It is down.")
    assert rests.reached("far")
    assert not rests.reached("far")
    assert (rests.may_try("far"), rests.left_s("far"), rests.trouble("far")) == (True, 0, "")


def test_a_person_may_have_a_place_tried_at_once(clock: list[float]) -> None:
    rests = Rests()
    rests.missed("far", "It is down.")
    rests.end("far")
    rests.end("near")
    assert rests.may_try("far")
