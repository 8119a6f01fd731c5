"""The parts without a screen: filters, pace, following a log, what a launch form means."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.batches import LogChunk
from runners.launching import LaunchError
from runners.states import State
from runners.store.rows import Counts, RunRow
from tui import filters
from tui.forms.launch import LaunchDraft
from tui.log_follow import BEHIND, TAIL, follow
from tui.pace import Load, age_words, left_s, pace_of, rate_words, worked

VALUES = {"state": "failed", "name": "Segment plate", "id": "k3f9a2bc"}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("state:fail", True),
        ("state:ail", False),
        ("name:PLATE", True),
        ("segment state:failed", True),
        ("segment state:done", False),
        ("a:b", False),
        ("state:", True),
    ],
)
def test_filters(text: str, fits: bool) -> None:
    test = filters.parse(text, VALUES.keys())
    assert (test is None or test(VALUES)) is fits


def test_no_filter_is_none() -> None:
    assert filters.parse("  ", VALUES.keys()) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("segment", ""),
        ("name:[/] state:run", ""),
        ("stat:failed", "Nothing is called 'stat' here: did you mean state:?"),
        ("plate:4", "Nothing is called 'plate' here: there are state, name, id."),
        (
            "state:ended",
            "There is no state 'ended': there are pending, running, done, failed, cancelled, unknown.",
        ),
        ("/data/a:b", ""),
    ],
)
def test_an_empty_list_says_what_of_the_filter_may_be_wrong(text: str, told: str) -> None:
    first, *doubts, last = filters.none_fits("run", text, VALUES.keys()).splitlines()
    assert (first, last) == ("No run fits the filter.", "/ changes it, esc shows all again.")
    assert doubts == ([told] if told else [])


def run(
    counts: Counts, *, started: float | None, ended: float | None = None, state: State = State.RUNNING
) -> RunRow:
    return RunRow("i", "n", "local", None, None, state, "", 0.0, started, ended, counts, "", "", False, 1)


def test_pace_invents_nothing() -> None:
    assert pace_of(run(Counts(pending=5), started=None), 100).elapsed_s is None
    early = pace_of(run(Counts(pending=5), started=90), 100, Load(None, 2, (95.0,)))
    assert (early.elapsed_s, early.per_s, early.left_s) == (10, None, None)
    half = pace_of(run(Counts(pending=10, done=8, failed=2), started=90), 100, Load(1.5, 2, ()))
    assert (half.per_s, half.left_s) == (1.0, 7.5)
    over = pace_of(run(Counts(done=10), started=90, ended=95, state=State.DONE), 100, Load(1.5, 2, ()))
    assert (over.elapsed_s, over.per_s, over.left_s) == (5, 2.0, None)
    assert pace_of(run(Counts(pending=10, done=8), started=90), 100).left_s is None


@pytest.mark.parametrize(
    ("mean_s", "pending", "running_s", "slots", "left"),
    [
        (10.0, 4, [], 2, 20.0),
        (10.0, 4, [5.0, 2.0], 2, 26.5),
        (10.0, 0, [4.0], 1, 6.0),
        (10.0, 1, [60.0], 1, 10.0),
        (10.0, 0, [60.0], 1, None),
        (10.0, 9, [], 0, None),
    ],
)
def test_time_left_is_what_the_slots_have_before_them(
    mean_s: float, pending: int, running_s: list[float], slots: int, left: float | None
) -> None:
    assert left_s(mean_s, pending, running_s, slots) == left


def test_time_left_never_grows_while_nothing_ends() -> None:
    story = run(Counts(pending=3, running=2, done=5), started=0)
    told = [pace_of(story, now, Load(30.0, 2, (100.0, 110.0))).left_s or 0.0 for now in range(120, 400, 7)]
    assert told == sorted(told, reverse=True) and told[0] > told[-1] == 45.0


@pytest.mark.parametrize(
    ("per_s", "words"), [(120, "120/s"), (4.21, "4.2/s"), (0.5, "30/min"), (0.01, "36/h"), (0.0001, "< 1/h")]
)
def test_rates_are_in_the_unit_worth_reading(per_s: float, words: str) -> None:
    assert rate_words(per_s) == words


def test_ages_stand_still_for_a_minute() -> None:
    assert {age_words(seconds) for seconds in (0, 30, 59.9)} == {"just now"}
    assert age_words(3700) == "1 h ago"


def test_what_never_ran_is_no_progress() -> None:
    assert worked(Counts(done=3, cancelled=7)) == Counts(done=3, pending=7)


class Shown:
    """Takes in a log as the log view would."""

    def __init__(self) -> None:
        self.skipped = -1
        self.data = b""

    def reset(self, skipped: int = 0, *, empty: str | None = None) -> None:
        self.skipped, self.data = skipped, b""

    def append(self, data: bytes) -> None:
        self.data += data


class Log:
    """A log that grows by a piece each time it is read."""

    def __init__(self, *pieces: bytes) -> None:
        self.waiting = list(pieces)
        self.data = b""

    @property
    def over(self) -> bool:
        return not self.waiting

    async def read(self, offset: int, limit: int) -> LogChunk:
        if self.waiting:
            self.data += self.waiting.pop(0)
        start = max(0, len(self.data) + offset) if offset < 0 else offset
        return LogChunk(self.data[start : start + limit], start, len(self.data))


async def test_a_log_is_followed_to_its_very_end() -> None:
    log, shown = Log(b"one ", b"", b"two ", b"three"), Shown()
    await follow(log.read, shown, lambda: log.over, pause_s=0)
    assert (shown.skipped, shown.data) == (0, b"one two three")


async def test_of_a_large_log_only_the_end_is_shown() -> None:
    log, shown = Log(b"x" * (3 * TAIL) + b"end"), Shown()
    await follow(log.read, shown, lambda: log.over, pause_s=0)
    assert (shown.skipped, len(shown.data), shown.data[-3:]) == (2 * TAIL + 3, TAIL, b"end")


async def test_a_log_that_runs_away_is_picked_up_at_its_end() -> None:
    log, shown = Log(b"begin", b"y" * (BEHIND + TAIL), b"end"), Shown()
    await follow(log.read, shown, lambda: log.over, pause_s=0)
    assert shown.data.endswith(b"end") and len(shown.data) <= TAIL + 3 and shown.skipped > 0


async def test_a_log_that_is_written_anew_is_shown_anew() -> None:
    log, shown = Log(b"the first attempt", b""), Shown()

    async def read(offset: int, limit: int) -> LogChunk:
        chunk = await log.read(offset, limit)
        if log.over and log.data.startswith(b"the first"):
            log.data = b"again"
        return chunk

    await follow(read, shown, lambda: log.data == b"again", pause_s=0)
    assert shown.data == b"again"


def test_a_draft_means_options() -> None:
    draft = LaunchDraft(command="cat -n '{item}'", items="'a b.txt' *.c", cpus="2", workdir="~", slots=" 3 ")
    options = draft.options()
    assert options.command == ("cat", "-n", "{item}")
    assert options.items == ("a b.txt", "*.c")
    assert (options.cpus, options.slots, options.workdir) == (2, 3, Path.home())
    assert (options.mem, options.name, options.items_from) == (None, None, None)


def test_a_shell_line_stays_one_word() -> None:
    assert LaunchDraft(command="cat {item} | wc -l", shell=True).options().command == ("cat {item} | wc -l",)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (LaunchDraft(command="cat 'x"), "command"),
        (LaunchDraft(items="a\\"), "items"),
        (LaunchDraft(cpus="-1"), "cpus"),
        (LaunchDraft(slots="1.5"), "slots"),
        (LaunchDraft(slots="9" * 5000), "slots"),
    ],
)
def test_a_draft_that_cannot_be_read_names_its_field(draft: LaunchDraft, field: str) -> None:
    with pytest.raises(LaunchError) as refused:
        draft.options()
    assert refused.value.field == field
    assert len(str(refused.value)) < 100
